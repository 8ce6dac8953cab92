"""The SQL statements that something costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from backend.db.database import Database


@contextmanager
def count_statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent to a database meanwhile; one for many rows counts
    once."""
    sent: list[str] = []

    def note(*args: Any) -> None:
        sent.append(str(args[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
