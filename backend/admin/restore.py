"""Restore a backup: all of it, or nothing is changed.

The backup is verified, then unpacked next to its final places, and its database migrated and
checked there; only then is anything moved, or copied into a server's empty database.

A restored database must fit a world that has moved on since the backup. The broker's stream and
running workers may still send events of attempts that the backup knows, but from a later step:
taken, they would be a gap that never closes. They may also send events of attempts that the backup
does not know yet, and whose numbers would be used again. So no earlier attempt continues:
unfinished runs are queued, from their checkpoints, and count their attempts on from the next
hundred. Whatever an older attempt sends is then dropped as stale, and its worker is told to stop.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Final

from backend.admin.archive import DATABASE, Manifest, extract_archive, verify_archive
from backend.admin.database_copy import check_empty, copy_database
from backend.admin.file_swap import FileSwap, interrupted_swap, staged_path
from backend.admin.kept_receivers import TABLES, keep_receivers, read_receivers
from backend.admin.kept_tokens import keep_tokens, read_tokens
from backend.admin.locations import AdminError, Locations
from backend.admin.pinned_files import ReferencedFiles, member_path
from backend.admin.progress import ReportProgress, format_size, ignore_progress
from backend.auth.stored_tokens import TABLE as TOKENS_TABLE
from backend.datasets.repository import UPLOADS
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import StreamPosition
from backend.db.sqlite_file import sqlite_url
from backend.ingest.event_stream import entry_order
from backend.runs import repository as runs
from backend.storage import data_folder
from backend.storage.blobs import BLOBS_FOLDER

ATTEMPT_STRIDE: Final = 100
"""More attempts than a run makes between a backup and its restore."""
TARGETS_OWN: Final = (TOKENS_TABLE, *TABLES, "plugin")
"""Tables that a server's empty database may have rows in: tokens and receivers are kept; what its
workers have reported of plug-ins gives way to what the backup has."""
LOCKS: Final = (data_folder.API_LOCK, data_folder.LAUNCHER_LOCK, data_folder.BACKUP_LOCK)


@dataclass(frozen=True)
class RestoreReport:
    """The result of a restore."""

    about: str
    before: list[Path]
    """Folders with the files that were there before."""
    completed: bool = False
    """Whether it was an earlier restore that had been interrupted."""


def restore(
    locations: Locations,
    file: Path,
    *,
    force: bool = False,
    with_tokens: bool = False,
    report: ReportProgress = ignore_progress,
) -> RestoreReport:
    """Replace the configured database and data folder by a backup.

    A restore that a crash interrupted while it moved files is completed instead.

    Args:
        locations: the target.
        file: the backup.
        force: move an existing database, blobs and data sets aside.
        with_tokens: restore the backup's tokens instead of keeping those that are there.
        report: called with the progress.

    Raises:
        AdminError: the restore is not possible; the message says why.
        OSError: a file cannot be written or moved. Nothing is changed then.
    """
    if not file.is_file():
        raise AdminError(f"there is no file {file}")
    with locations.lock("restored", *LOCKS):
        if done := _complete_interrupted(locations):
            return done
        _check_free(locations, force=force)
        manifest = verify_archive(file, report)
        try:
            unpacked = _unpack(locations, file, manifest, report)
            queued, tokens = _prepare(locations, unpacked, manifest, with_tokens=with_tokens)
            swap = _plan_swap(locations, manifest, queued, tokens)
            swap.begin()
            if locations.file is None:
                with _open_server(locations) as target:
                    _copy_to_server(unpacked, target, report)
            return RestoreReport(swap.about, swap.finish())
        except BaseException:
            _clean_up(locations)
            raise


def _complete_interrupted(locations: Locations) -> RestoreReport | None:
    """Complete a restore that was interrupted, unless none of it had been done."""
    swap = interrupted_swap(locations.folder)
    if swap is None:
        return None
    if locations.file is None:
        with _open_server(locations) as target:
            try:
                check_empty(target, besides=TARGETS_OWN)
            except AdminError:
                pass  # all rows had been copied
            else:
                swap.discard()
                return None
    return RestoreReport(swap.about, swap.finish(), completed=True)


def _check_free(locations: Locations, *, force: bool) -> None:
    if locations.file is None:
        with _open_server(locations) as target:
            check_empty(target, besides=TARGETS_OWN)
    if force:
        return
    there = [locations.file] if locations.file and locations.file.exists() else []
    there += [
        path for kind in (BLOBS_FOLDER, UPLOADS) for path in (locations.folder / kind).glob("[!.]*")
    ][:1]
    if there:
        raise AdminError(
            f"{there[0]} is there already. Name another folder with --data-dir, or add --force, "
            "which moves it with all that belongs to it aside"
        )


def _unpack(locations: Locations, file: Path, manifest: Manifest, report: ReportProgress) -> Path:
    """Write everything next to its final place; return the path of the database."""
    free = shutil.disk_usage(locations.folder).free
    if free < manifest.size:
        raise AdminError(
            f"{locations.folder} has room for {format_size(free)}, "
            f"and the backup needs {format_size(manifest.size)}"
        )
    database = staged_path(_database_path(locations))
    staged = locations.folder / data_folder.RESTORE_FOLDER
    for folder in {staged, database.parent}:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
    for kind in (BLOBS_FOLDER, UPLOADS):
        (staged / kind).mkdir()
    where = {name: member_path(staged, name) for name in manifest.members}
    extract_archive(file, manifest, {**where, DATABASE: database}, report)
    return database


def _prepare(
    locations: Locations, file: Path, manifest: Manifest, *, with_tokens: bool
) -> tuple[int, str]:
    """Check an unpacked database and migrate it; return the number of queued runs, and in words
    which tokens it has."""
    with sqlite3.connect(file) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    connection.close()
    if found != "ok":
        raise AdminError(f"the database in the backup is damaged: {found}. Nothing was changed")
    database = Database(sqlite_url(file))
    try:
        if migrations.current(database) != manifest.revision:
            raise AdminError("the database in the backup is not of the version it claims to be")
        migrations.upgrade(database)
        with database.read() as session:
            named = ReferencedFiles.read(session).sha256
        held = {name: member.sha256 for name, member in manifest.members.items()}
        if lacking := [name for name in named if held.get(name) != named[name]]:
            raise AdminError(
                f"the database in the backup names {len(lacking)} files that are not in it, "
                f"{lacking[0]!r} among them. Nothing was changed"
            )
        now = time.time()
        queued = requeue_runs(database, now, read_attempts(locations.file))
        own = read_tokens(locations)
        tokens = keep_tokens(database, own, with_tokens=with_tokens, now=now)
        keep_receivers(database, read_receivers(locations))
    finally:
        database.close()
    with file.open("rb") as written:
        os.fsync(written.fileno())
    return queued, tokens


def requeue_runs(database: Database, now: float, replaced: Mapping[str, int]) -> int:
    """Queue the runs that were running, and give all queued runs new attempt numbers; return their
    count.

    Args:
        database: the restored one, which is not in use yet.
        now: seconds since the epoch.
        replaced: run -> attempt, in the database that is replaced.
    """
    database.load_position()
    with database.write() as write:
        for run in runs.in_state(write.session, "running"):
            reason = "it ran when the backup was made"
            runs.lose_attempt(write, run, reason=reason, strike=False, now=now)
        queued = runs.in_state(write.session, "queued")
        for run in queued:
            known = max(run.attempt, replaced.get(run.id, 0))
            run.attempt = (known // ATTEMPT_STRIDE + 1) * ATTEMPT_STRIDE + 1
            write.session.add(run)
        # Viewers from before the restore have seen data that does not exist any more. Their last
        # event id is older than this position, so they are sent everything again.
        entry = max(database.position, f"{int(now * 1000)}-0", key=entry_order)
        write.session.merge(StreamPosition(entry=entry))
        write.position = entry
    return len(queued)


def read_attempts(file: Path | None) -> dict[str, int]:
    """Read run -> attempt from an SQLite file; empty if it cannot be read, which may be the reason
    why it is replaced."""
    if file is None or not file.is_file():
        return {}
    connection = sqlite3.connect(file)
    try:
        return dict(connection.execute("SELECT id, attempt FROM run").fetchall())
    except sqlite3.DatabaseError:
        return {}
    finally:
        connection.close()


def _plan_swap(locations: Locations, manifest: Manifest, queued: int, tokens: str) -> FileSwap:
    where = [locations.folder / UPLOADS, locations.folder / BLOBS_FOLDER, _database_path(locations)]
    stamp = f"before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    names = chain([stamp], (f"{stamp}-{number}" for number in count(2)))
    return FileSwap(
        locations.folder,
        where if locations.file else where[:-1],
        next(name for name in names if not any((one.parent / name).exists() for one in where)),
        f"the backup of {manifest.made_at}: {len(manifest.members) - 1} files beside the database; "
        f"{queued} runs wait for a worker" + (f"; {tokens}" if tokens else ""),
    )


def _copy_to_server(file: Path, target: Database, report: ReportProgress) -> None:
    database = Database(sqlite_url(file))
    try:
        copy_database(database, target, replaced=TARGETS_OWN, report=report)
    finally:
        database.close()


def _clean_up(locations: Locations) -> None:
    """Delete what was unpacked, unless a server already has its rows: then the files are needed."""
    if locations.file is None and (swap := interrupted_swap(locations.folder)):
        with _open_server(locations) as target:
            try:
                check_empty(target, besides=TARGETS_OWN)
            except AdminError:
                return
            swap.discard()
    FileSwap(locations.folder, [_database_path(locations)], "", "").discard()


def _database_path(locations: Locations) -> Path:
    """Return the database's file; for a server a temporary one in the data folder."""
    return locations.file or locations.folder / "server.sqlite"


@contextmanager
def _open_server(locations: Locations) -> Iterator[Database]:
    database = Database(locations.url)
    try:
        yield database
    finally:
        database.close()
