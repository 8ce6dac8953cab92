"""The database: plain readers, one writer at a time, and notice of every commit in order.

SQLite runs in WAL mode with explicit BEGINs: the driver's own implicit, deferred one fails at once
when it reads first and writes after another connection's commit. Only writes take BEGIN IMMEDIATE.
Writers of this process queue on a lock instead of on SQLite's busy handler, which sleeps.
"""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlmodel import Session

from backend.db.models import Run, StreamPosition


@dataclass
class Update:
    """What one commit changed in one comparison; `drops` come before `points`."""

    runs: dict[str, Run] = field(default_factory=dict)
    """Changed runs as they are now; read only."""
    drops: dict[str, int] = field(default_factory=dict)
    """Run -> the last step whose points are kept; a new attempt begins."""
    points: dict[tuple[str, str], tuple[list[int], list[float | None]]] = field(
        default_factory=dict
    )
    """(run, key) -> steps, values."""
    gone: bool = False
    """The comparison was deleted."""


@dataclass(frozen=True)
class Commit:
    """What one write transaction changed, as viewers need it."""

    version: int
    """1, 2, 3, ... in the order of commits."""
    position: str
    """The last stream entry stored by then."""
    updates: dict[str, Update]
    """Comparison -> what changed."""


@dataclass
class Write:
    """An open write transaction."""

    session: Session
    position: str
    """Set by the collector to the last stream entry that it stores here."""
    updates: defaultdict[str, Update] = field(default_factory=lambda: defaultdict(Update))
    unused_blobs: set[str] = field(default_factory=set)
    """Checkpoints that no run names any more after this commit; the caller deletes them."""


class Database:
    """One engine; reads and writes are context managers around one transaction each."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.version = 0
        self.position = "0-0"
        self.on_commit: Callable[[Commit], None] = lambda _: None
        """Called after every commit, in order, from the thread that made it; must not block."""
        self._writer = threading.Lock()

    def load_position(self) -> None:
        """Read how far the stream had been stored when the last process ended."""
        with self.read() as session:
            row = session.get(StreamPosition, 1)
            self.position = row.entry if row else "0-0"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a consistent view; never waits for writers."""
        with self.engine.connect() as connection, Session(connection) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Write]:
        """Open one short write transaction: commit at the end, roll back on any exception."""
        with self._writer, self.engine.connect() as connection:
            writing = connection.execution_options(immediate=True)
            with Session(writing, expire_on_commit=False) as session:
                write = Write(session, self.position)
                yield write
                session.commit()
            self.position = write.position
            if write.updates:
                self.version += 1
                self.on_commit(Commit(self.version, self.position, dict(write.updates)))

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Session, int, str]]:
        """Open a view together with the version and the stream position that it shows exactly."""
        with self.engine.connect() as connection, Session(connection) as session:
            with self._writer:  # between two commits; the first SELECT fixes the view
                session.get(StreamPosition, 1)
                version, position = self.version, self.position
            yield session, version, position

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """Open a transaction that may change the schema."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA journal_mode = WAL")  # stays with the file
        with self._writer, self.engine.connect() as connection:
            writing = connection.execution_options(immediate=True)
            with writing.begin():
                yield writing

    def check_writable(self, wait_s: float = 5.0) -> None:
        """Write and roll back; raises what the database raises.

        Raises:
            TimeoutError: the write before this one did not end in time.
        """
        if not self._writer.acquire(timeout=wait_s):
            raise TimeoutError(f"a write has not ended for {wait_s:.0f} s")
        try:
            with self.engine.connect() as connection:
                writing = connection.execution_options(immediate=True)
                writing.execute(text("UPDATE stream_position SET entry = entry"))
                writing.rollback()
        finally:
            self._writer.release()

    def size(self) -> int:
        """Return the bytes that the database takes on disk.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: it does not answer.
        """
        if self.engine.dialect.name == "sqlite":
            name = self.engine.url.database or ""
            files = (Path(name + suffix) for suffix in ("", "-wal", "-shm"))
            return sum(file.stat().st_size for file in files if file.exists())
        with self.engine.connect() as connection:
            asked = text("SELECT pg_database_size(current_database())")
            return int(connection.execute(asked).scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        # One view for a whole transaction, as SQLite's WAL gives it.
        return create_engine(url, isolation_level="REPEATABLE READ", pool_pre_ping=True)
    engine = create_engine(
        url, pool_size=16, max_overflow=32, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the engine's "begin" listener sends BEGIN itself
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -32000")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
