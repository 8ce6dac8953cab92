"""One API process alone holds a database, and its data folder: leases, workers and viewers live in
its memory, and a second one would take runs away from the first.

A file is held by a lock of the kernel, which ends with the process, however it ends. A SQLite
database is held by such a lock on a file beside it. A PostgreSQL database is held by an advisory
lock of a session that is kept open, and that session may end while the process goes on: the server
restarts, an administrator ends it, a firewall forgets it. Then another process may take the lock,
so every write transaction asks the server whether the lock is still ours:

1. It takes the lock WRITING, shared, until its end. Nobody holds that one exclusively except for a
   moment in step 3.
2. It looks whether the kept session holds the lock SERVING. If so, whoever takes SERVING later does
   so after this moment, while this transaction holds WRITING. If not, nothing has been written
   yet; the lock is taken again, or the process ends.
3. Who takes SERVING then takes WRITING exclusively once, before it reads anything: it waits for
   the end of all write transactions that passed step 2 before.

So no transaction of an earlier process is committed after a later one began to read. Commands such
as backup and copy take no part in this; they have locks of their own (backend.storage.data_folder).
"""

import fcntl
import os
import socket
import threading
import time
import zlib
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlmodel import Session

DATABASE_LOCK: Final = ".api.lock"
"""Ending of the file beside a SQLite database."""
SERVING: Final = 0x4C6F7373
WRITING: Final = SERVING + 1
"""First numbers of the advisory locks; the second one stands for the schema."""
ENDING_S: Final = 2.0
"""How long the server may take to notice that the process of a session has ended."""
DRAIN_MS: Final = 30_000
"""How long the last write of an earlier process may take."""


class InUseError(Exception):
    """Another API process holds it; the message says what, and what to do."""


class Hold(Protocol):
    """A database that this process holds alone."""

    def check(self, writing: Session) -> None:
        """Make sure at the start of a write transaction that no other process holds it.

        Raises:
            InUseError: another one does; this process must end.
            sqlalchemy.exc.OperationalError: the server does not answer.
        """

    def release(self) -> None:
        """Let others hold it."""


class FileHold:
    """A file that this process holds alone, until `release` or the end of the process."""

    def __init__(self, path: Path, what: str) -> None:
        """Take it.

        Args:
            path: the lock file; created if missing.
            what: what it stands for, in words.

        Raises:
            InUseError: another API process holds it.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 300).decode(errors="replace").strip()
            os.close(self._file)
            raise InUseError(_in_use(what, holder)) from None
        os.truncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def check(self, writing: Session) -> None:
        """Do nothing: the kernel takes no lock away."""

    def release(self) -> None:
        """Let others hold it."""
        os.close(self._file)


class ServerHold:
    """A PostgreSQL database that this process holds alone, by a session that is kept open."""

    def __init__(self, engine: Engine) -> None:
        """Take it.

        Raises:
            InUseError: another API process holds it.
            sqlalchemy.exc.OperationalError: the server does not answer.
        """
        self._engine = create_engine(
            engine.url, isolation_level="AUTOCOMMIT", poolclass=NullPool, pool_reset_on_return=None
        )
        self._what = f"the database {engine.url.render_as_string(hide_password=True)}"
        self._kept: Connection | None = None
        self._pid = 0
        self._schema = 0
        self._lock = threading.Lock()
        self._take()

    def check(self, writing: Session) -> None:
        """Make sure at the start of a write transaction that the lock is ours; take it again if the
        kept session has ended.

        Raises:
            InUseError: another process holds it.
            sqlalchemy.exc.OperationalError: the server does not answer.
        """
        with self._lock:
            if self._is_held(writing):
                return
            writing.rollback()  # its lock WRITING would keep `_take` waiting
            self._end_kept()
            self._take()
            if not self._is_held(writing):
                raise InUseError(_in_use(self._what, ""))

    def release(self) -> None:
        """Let others hold it."""
        with self._lock:
            self._end_kept()

    def _is_held(self, writing: Session) -> bool:
        numbers = {"serving": SERVING, "writing": WRITING, "schema": self._schema, "pid": self._pid}
        connection = writing.connection()
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:writing, :schema)"), numbers)
        asked = text(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
            " AND classid::bigint = :serving AND objid::bigint = :schema AND pid = :pid"
            " AND mode = 'ExclusiveLock' AND granted)"
        )
        return bool(connection.execute(asked, numbers).scalar_one())

    def _take(self) -> None:
        self._kept = kept = self._engine.connect()
        try:
            kept.execute(
                text(
                    "SELECT set_config(name, '0', false) FROM pg_settings"
                    " WHERE name = 'idle_session_timeout'"  # since PostgreSQL 14
                )
            )
            schema = kept.execute(text("SELECT coalesce(current_schema(), '')")).scalar_one()
            self._schema = zlib.crc32(schema.encode()) & 0x3FFFFFFF
            numbers = {"serving": SERVING, "writing": WRITING, "schema": self._schema}
            self._pid = kept.execute(text("SELECT pg_backend_pid()")).scalar_one()
            self._take_serving(kept, numbers)
            kept.execute(text(f"SET lock_timeout = {DRAIN_MS}"))
            kept.execute(text("SELECT pg_advisory_lock(:writing, :schema)"), numbers)
            kept.execute(text("SELECT pg_advisory_unlock(:writing, :schema)"), numbers)
        except BaseException:
            self._end_kept()
            raise

    def _take_serving(self, kept: Connection, numbers: dict[str, int]) -> None:
        """Take the lock SERVING; the session of a process that has just ended holds it a moment
        longer.

        Raises:
            InUseError: another process holds it.
        """
        until = time.monotonic() + ENDING_S
        taking = text("SELECT pg_try_advisory_lock(:serving, :schema)")
        while not kept.execute(taking, numbers).scalar_one():
            if time.monotonic() > until:
                raise InUseError(_in_use(self._what, self._holder(kept)))
            time.sleep(0.05)

    def _holder(self, kept: Connection) -> str:
        found = kept.execute(
            text(
                "SELECT pid, client_addr FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND classid::bigint = :serving"
                " AND objid::bigint = :schema AND granted"
            ),
            {"serving": SERVING, "schema": self._schema},
        ).first()
        if found is None:
            return ""
        where = f" from {found.client_addr}" if found.client_addr else ""
        return f"session {found.pid} of the server{where}"

    def _end_kept(self) -> None:
        """End the kept session, and with it its locks, whether it still lives or not."""
        if self._kept is not None:
            self._kept.invalidate()
            self._kept.close()
            self._kept = None


def hold_database(engine: Engine) -> Hold:
    """Hold a database alone.

    Raises:
        InUseError: another API process holds it.
        sqlalchemy.exc.OperationalError: it does not answer.
    """
    if engine.dialect.name != "sqlite":
        return ServerHold(engine)
    with engine.connect() as connection:
        # The file as SQLite itself opened it: absolute, and without links. One database that is
        # reached by two paths is the same file.
        rows = connection.exec_driver_sql("PRAGMA database_list").all()
    file = Path(next(row[2] for row in rows if row[1] == "main")).resolve()
    return FileHold(file.with_name(file.name + DATABASE_LOCK), f"the database {file}")


def _in_use(what: str, holder: str) -> str:
    who = f" ({holder})" if holder else ""
    return (
        f"another API process{who} already serves {what}, and only one may: stop that one first, "
        "or give this one a data folder and a database of its own. uvicorn's --workers must be 1"
    )
