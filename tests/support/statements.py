"""The SQL statements that something costs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import event

from backend.db.database import Database

BACKGROUND: Final = {"collector", "sweeper", "figures", "alerts"}
"""Names of threads."""


@contextmanager
def count_statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent to a database meanwhile, but for those of the threads
    that look for work all the time; one for many rows counts once."""
    sent: list[str] = []

    def note(*args: Any) -> None:
        if threading.current_thread().name not in BACKGROUND:
            sent.append(str(args[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
