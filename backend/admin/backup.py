"""A backup of everything, in one file, while everything runs.

SQLite is copied by its own online backup, PostgreSQL row by row into an SQLite file, either way of
one view; and the files that this view names go along. So a backup is of one kind, whatever it was
made of, and restores into either.
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

from backend.admin.archive import DATABASE, FORMAT, Manifest, Packer
from backend.admin.database_copy import check_version, copy_view
from backend.admin.locations import AdminError, Places, settle
from backend.admin.pinned_files import Pinned, leave_out, pinned
from backend.admin.progress import Tell, nobody, size
from backend.db import migrations
from backend.db.database import Database
from backend.export.tables import versions
from backend.storage import data_folder as holding

PAGES: Final = 1024
"""Of SQLite, copied at a time."""


@dataclass(frozen=True)
class Made:
    """What a backup came to."""

    bytes: int
    files: int
    """Beside the database."""
    lost: list[str]
    """Named by the database, but missing or damaged on disk; what named them is left out."""


def backup(places: Places, file: Path, *, force: bool = False, tell: Tell = nobody) -> Made:
    """Write a backup; the file appears when it is whole and on disk.

    Args:
        places: what is backed up.
        file: the backup.
        force: replace a file that is there.
        tell: told of the progress.

    Raises:
        AdminError: what is in the way.
    """
    _check_free(file, force=force)
    with (
        places.database() as database,
        places.alone("backed up", holding.BACKUP_LOCK),
        _working(file) as work,
    ):
        check_version(database)
        with pinned(database, places.folder, places.folder / holding.BACKUP_LINKS) as view:
            _check_room(places, database, view, file)
            _copy(view.session, work / DATABASE, tell)
            made = _pack(database, view, work, tell)
        _check_free(file, force=force)  # nobody else made it meanwhile
        (work / "whole").replace(file)
        settle(file.parent)
    return made


def _copy(view: Session, file: Path, tell: Tell) -> None:
    """Copy a view's rows into a new SQLite file."""
    reading = view.connection()
    if reading.dialect.name == "sqlite":
        driver: Any = reading.connection.driver_connection
        target = sqlite3.connect(file)
        try:
            # The view's own transaction is open, so what others write does not start it over.
            driver.backup(
                target,
                pages=PAGES,
                progress=lambda _, left, total: tell("copying the database", total - left, total),
            )
        finally:
            target.close()
        return
    made = Database(f"sqlite:///{file}")
    try:
        migrations.upgrade(made)
        copy_view(view, made, tell=tell)
    finally:
        made.close()


def _pack(source: Database, view: Pinned, work: Path, tell: Tell) -> Made:
    """Write the files, take out of the copied database what was lost, write that."""
    copied = work / DATABASE
    total = _sum(view.files.values()) + copied.stat().st_size
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        tell("writing the backup", done, total)

    (work / "whole").touch(mode=0o600)  # it tells everything
    with (work / "whole").open("r+b") as written:
        packer = Packer(written, progress)
        for name, path in sorted(view.files.items()):
            packer.add(name, path, view.sha256.get(name))
        lost = sorted([*view.lost, *packer.damaged])
        _finish_database(copied, lost)
        packer.add(DATABASE, copied)
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            lossboard=versions()["lossboard"],
            revision=migrations.head(),
            source=source.engine.dialect.name,
            members=packer.members,
            damaged=packer.damaged,
        )
        packer.finish(manifest)
        return Made(written.tell(), len(packer.members) - 1, lost)


def _finish_database(file: Path, lost: list[str]) -> None:
    """One file that needs no other beside it, and names nothing that is not in the backup."""
    if lost:
        database = Database(f"sqlite:///{file}")
        leave_out(database, lost)
        database.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _check_free(file: Path, *, force: bool) -> None:
    if not file.parent.is_dir():
        raise AdminError(f"there is no folder {file.parent} to write the backup to; make it first")
    if file.is_dir() or (file.exists() and not force):
        raise AdminError(f"{file} is there already; name another file, or add --force")


def _check_room(places: Places, database: Database, view: Pinned, file: Path) -> None:
    needed = _sum(view.files.values()) + 2 * database.size()
    free = shutil.disk_usage(file.parent).free
    if free < needed:
        raise AdminError(
            f"{file.parent} has room for {size(free)}, and the backup of {places.shown} may need "
            f"{size(needed)} while it is made; name a file on another disk"
        )


@contextmanager
def _working(file: Path) -> Iterator[Path]:
    """A folder beside the file, which is gone afterwards; so is one that was left behind."""
    folder = file.with_name(f".{file.name}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sum(files: Any) -> int:
    return sum(path.stat().st_size for path in files)
