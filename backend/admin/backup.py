"""A backup of everything, in one file, while everything runs.

SQLite is copied by its own online backup, PostgreSQL row by row into an SQLite file, both from one
consistent view; the files that this view names are added. So all backups are of one kind, whatever
they were made from, and can be restored into either database.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from backend.admin.archive import DATABASE, FORMAT, ArchiveWriter, Manifest
from backend.admin.database_copy import check_version, copy_session
from backend.admin.kept_receivers import remove_receivers
from backend.admin.locations import AdminError, Locations, sync_folder
from backend.admin.pinned_files import PinnedFiles, pin_files, remove_references
from backend.admin.progress import ReportProgress, byte_counter, format_size, ignore_progress
from backend.db import migrations
from backend.db.database import Database
from backend.db.sqlite_file import sqlite_url
from backend.export.tables import versions
from backend.storage import data_folder

PAGES_PER_STEP: Final = 1024
"""Pages of SQLite that are copied at a time."""


@dataclass(frozen=True)
class BackupReport:
    """The result of a backup."""

    bytes: int
    files: int
    """Files in addition to the database."""
    lost: list[str]
    """Files that the database names, but that are missing or damaged on disk; the rows that name
    them are left out."""


def backup(
    locations: Locations,
    file: Path,
    *,
    force: bool = False,
    report: ReportProgress = ignore_progress,
) -> BackupReport:
    """Write a backup; the file appears when it is complete and on disk.

    Args:
        locations: what is backed up.
        file: the backup.
        force: replace an existing file.
        report: called with the progress.

    Raises:
        AdminError: the backup is not possible; the message says why.
    """
    _check_free(file, force=force)
    with (
        locations.database() as database,
        locations.lock("backed up", data_folder.BACKUP_LOCK),
        _working(file) as work,
    ):
        check_version(database)
        with pin_files(
            database, locations.folder, locations.folder / data_folder.BACKUP_LINKS
        ) as view:
            _check_room(locations, database, view, file)
            _copy(view.session, work / DATABASE, report)
            result = _pack(database, view, work, report)
        _check_free(file, force=force)  # it may have been created meanwhile
        (work / "whole").replace(file)
        sync_folder(file.parent)
    return result


def _copy(view: Session, file: Path, report: ReportProgress) -> None:
    """Copy a view's rows into a new SQLite file."""
    reading = view.connection()
    if reading.dialect.name == "sqlite":
        driver: Any = reading.connection.driver_connection
        target = sqlite3.connect(file)
        try:
            # The view's transaction is open, so writes of others do not make the copy start again.
            driver.backup(
                target,
                pages=PAGES_PER_STEP,
                progress=lambda _, left, total: report("copying the database", total - left, total),
            )
        finally:
            target.close()
        return
    made = Database(sqlite_url(file))
    try:
        migrations.upgrade(made)
        copy_session(view, made, report=report)
    finally:
        made.close()


def _pack(source: Database, view: PinnedFiles, work: Path, report: ReportProgress) -> BackupReport:
    """Write the files, remove lost files from the copied database, then write the database."""
    copied = work / DATABASE
    total = _sum(view.files.values()) + copied.stat().st_size
    progress = byte_counter(report, "writing the backup", total)
    (work / "whole").touch(mode=0o600)  # it holds all data, so only its owner may read it
    with (work / "whole").open("r+b") as written:
        archive = ArchiveWriter(written, progress)
        for name, path in sorted(view.files.items()):
            archive.add(name, path, view.sha256.get(name))
        lost = sorted([*view.lost, *archive.damaged])
        _finish_database(copied, lost)
        archive.add(DATABASE, copied)
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            lossboard=versions()["lossboard"],
            revision=migrations.head(),
            source=source.engine.dialect.name,
            members=archive.members,
            damaged=archive.damaged,
        )
        archive.finish(manifest)
        return BackupReport(written.tell(), len(archive.members) - 1, lost)


def _finish_database(file: Path, lost: list[str]) -> None:
    """Make it one self-contained file that names nothing that is not in the backup, and has no
    secrets of receivers."""
    if lost:
        database = Database(sqlite_url(file))
        remove_references(database, lost)
        database.close()
    remove_receivers(file)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _check_free(file: Path, *, force: bool) -> None:
    if not file.parent.is_dir():
        raise AdminError(f"there is no folder {file.parent} to write the backup to; make it first")
    if file.is_dir() or (file.exists() and not force):
        raise AdminError(f"{file} is there already; name another file, or add --force")


def _check_room(locations: Locations, database: Database, view: PinnedFiles, file: Path) -> None:
    needed = _sum(view.files.values()) + 2 * database.size()
    free = shutil.disk_usage(file.parent).free
    if free < needed:
        raise AdminError(
            f"{file.parent} has room for {format_size(free)}, and the backup of "
            f"{locations.display_url} may need {format_size(needed)} while it is made; "
            "name a file on another disk"
        )


@contextmanager
def _working(file: Path) -> Iterator[Path]:
    """Create a folder next to the file and delete it at the end, also one left from an earlier
    backup."""
    folder = file.with_name(f".{file.name}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sum(files: Any) -> int:
    return sum(path.stat().st_size for path in files)
