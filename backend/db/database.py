"""The database: plain readers, one writer at a time, and notice of every commit in order.

SQLite runs in WAL mode with explicit BEGINs: the driver's own implicit, deferred one fails at once
when it reads first and writes after another connection's commit. Only writes take BEGIN IMMEDIATE.
Writers of this process queue on a lock instead of on SQLite's busy handler, which sleeps. All that
a write waits for, that queue and locks of other programs, is bounded; readers wait for no writer.
"""

import math
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.db.exclusive import Hold, InUseError
from backend.db.models import Run, StreamPosition

WAIT_S: Final = 5.0
"""How long a write may wait in all, and how long a read may wait for a lock of another program."""
MIGRATION_WAIT_S: Final = 30.0
PROBE_WAIT_S: Final = 2.0

patience_s: ContextVar[float] = ContextVar("patience_s", default=WAIT_S)
"""How long a write of this caller may wait (see backend.http.writing)."""


class BusyError(OperationalError):
    """Another program has locked the database, or the writes before this one take too long; the
    same may work a little later."""

    def __init__(self, message: str) -> None:
        super().__init__(None, None, TimeoutError(message))

    def __str__(self) -> str:
        return str(self.orig)


@dataclass
class Update:
    """What one commit changed in one comparison, or in the run of a trial; `drops` come before
    `points`."""

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


def followed_as(run: Run) -> str:
    """Return the id under which changes of a run are delivered.

    Its comparison's; but the run of a trial is followed alone, so that the viewers of a comparison
    are not sent hundreds of trials.
    """
    return run.comparison_id if run.role == "final" else run.id


@dataclass(frozen=True)
class Commit:
    """What one write transaction changed, as viewers need it."""

    version: int
    """1, 2, 3, ... in the order of commits."""
    position: str
    """The last stream entry stored by then."""
    updates: dict[str, Update]
    """Comparison -> what changed in it; what changed in the run of a trial stands under the run's
    id (`followed_as`)."""


@dataclass
class Write:
    """An open write transaction."""

    session: Session
    position: str
    """Set by the collector to the last stream entry that it stores here."""
    updates: defaultdict[str, Update] = field(default_factory=lambda: defaultdict(Update))
    unused_blobs: set[str] = field(default_factory=set)
    """Checkpoints that no run names any more after this commit; the caller deletes them."""
    ended: dict[str, Run] = field(default_factory=dict)
    """Runs that end in it."""
    entered: list[tuple[Run, str]] = field(default_factory=list)
    """Runs, and the states of contract.metrics.states that they get into."""
    settled: set[str] = field(default_factory=set)
    """Comparisons whose search takes a step that queues no run."""

    def update_of(self, run: Run) -> Update:
        """Return what this commit changes for those who follow a run."""
        return self.updates[followed_as(run)]


class Database:
    """One engine; reads and writes are context managers around one transaction each."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.version = 0
        self.position = "0-0"
        self.on_commit: Callable[[Commit], None] = lambda _: None
        """Called after every commit, in order, from the thread that made it; must not block."""
        self.before_commit: Callable[[Write], None] = lambda _: None
        """Called at the end of every write transaction, within it."""
        self.hold: Hold | None = None
        """Set by an API process, which is the only one that may write."""
        self.on_taken: Callable[[str], None] = lambda _: None
        """Called with one line when another API process has taken the database from this one."""
        self._taken = ""
        self._writer = threading.Lock()
        self._committing = threading.Lock()
        """Held only while a transaction commits and `version` and `position` follow."""

    def load_position(self) -> None:
        """Read how far the stream had been stored when the last process ended."""
        with self.read() as session:
            row = session.get(StreamPosition, 1)
            self.position = row.entry if row else "0-0"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a consistent view; never waits for writers of this process.

        Raises:
            BusyError: another program keeps its tables locked.
        """
        with _busy_errors(), self.engine.connect() as connection, Session(connection) as session:
            yield session

    @contextmanager
    def write(self, wait_s: float = math.inf) -> Iterator[Write]:
        """Open one short write transaction: commit at the end, roll back on any exception.

        Args:
            wait_s: how long it may wait for its turn, where its caller's patience is not shorter; a
                write that need not wait always gets it.

        Raises:
            BusyError: its turn did not come in time.
        """
        deadline = time.monotonic() + min(wait_s, patience_s.get())
        with self._turn(deadline), _busy_errors(), self.engine.connect() as connection:
            left_s = max(0.001, deadline - time.monotonic())
            writing = connection.execution_options(immediate=True, wait_s=left_s)
            with Session(writing, expire_on_commit=False) as session:
                self._check_hold(session)
                write = Write(session, self.position)
                yield write
                self.before_commit(write)
                session.flush()
                with self._committing:
                    session.commit()
                    self.position = write.position
                    if write.updates:
                        self.version += 1
                        self.on_commit(Commit(self.version, self.position, dict(write.updates)))

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Session, int, str]]:
        """Open a view together with the version and the stream position that it shows exactly."""
        with _busy_errors(), self.engine.connect() as connection, Session(connection) as session:
            with self._committing:  # between two commits; the first SELECT fixes the view
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
            writing = connection.execution_options(immediate=True, wait_s=MIGRATION_WAIT_S)
            with writing.begin():
                yield writing

    def check_writable(self, wait_s: float = PROBE_WAIT_S) -> None:
        """Write and roll back; raises what the database raises.

        Raises:
            BusyError: it takes no write within that time.
        """
        with self.write(wait_s) as write:
            write.session.connection().execute(text("UPDATE stream_position SET entry = entry"))
            write.session.rollback()

    def is_writing(self) -> bool:
        """Return whether a write of this process is under way, or waits for another program."""
        return self._writer.locked()

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
        """Close all connections, and let another API process hold the database."""
        if self.hold is not None:
            self.hold.release()
            self.hold = None
        self.engine.dispose()

    @contextmanager
    def _turn(self, deadline: float) -> Iterator[None]:
        """Wait until the writes of this process that came before have ended."""
        began = time.monotonic()
        if not self._writer.acquire(timeout=max(0.0, deadline - began)):
            raise BusyError("the writes before this one have not ended in time")
        try:
            yield
        finally:
            self._writer.release()

    def _check_hold(self, session: Session) -> None:
        if self.hold is None:
            return
        if self._taken:  # for good: what this process knows is out of date by now
            raise BusyError(self._taken)
        try:
            self.hold.check(session)
        except InUseError as error:
            self._taken = str(error)
            self.on_taken(self._taken)
            raise BusyError(self._taken) from None


def _engine(url: str) -> Engine:
    # More connections than threads that read: none waits for another one's connection.
    pool: dict[str, Any] = {"pool_size": 16, "max_overflow": 64, "pool_timeout": WAIT_S}
    if not url.startswith("sqlite"):
        # One view for a whole transaction, as SQLite's WAL gives it.
        engine = create_engine(url, isolation_level="REPEATABLE READ", pool_pre_ping=True, **pool)
        event.listen(engine, "begin", _bound_waits)
        return engine
    engine = create_engine(url, connect_args={"check_same_thread": False}, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _bound_waits(connection: Connection) -> None:
    """Let a transaction on a server wait so long for the lock of a table or a row, no longer."""
    wait_s = connection.get_execution_options().get("wait_s", WAIT_S)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(wait_s * 1e3))}")


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the engine's "begin" listener sends BEGIN itself
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -32000")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    wait_ms = max(1, round(options.get("wait_s", WAIT_S) * 1e3))
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout = {wait_ms}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")


@contextmanager
def _busy_errors() -> Iterator[None]:
    """Turn the error for a lock that another program keeps into a BusyError."""
    try:
        yield
    except BusyError:
        raise
    except OperationalError as error:
        if _is_lock_timeout(error.orig):
            raise BusyError("another program has locked it") from error
        raise


def _is_lock_timeout(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(error, "sqlstate", None) == "55P03"  # lock_not_available
