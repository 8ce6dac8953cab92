"""Move restored files to their final places, all of them or none; the old files are kept next to
them.

All moves are renames within a folder. A journal exists from before the first move until after the
last one, so a swap that a crash interrupted is completed by the next restore; until then no API
starts on the folder.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from backend.admin.locations import sync_folder
from backend.storage.data_folder import RESTORE_FOLDER, RESTORE_JOURNAL

SQLITE_SUFFIXES: Final = ("-wal", "-shm")
"""Suffixes of the files that SQLite keeps next to its database."""


class _Journal(BaseModel):
    """The journal's file; its keys stay, so that every version can complete a restore."""

    places: list[Path]
    before: str
    about: str


@dataclass(frozen=True)
class FileSwap:
    """The moves of one restore."""

    folder: Path
    """The data folder, which keeps the journal."""
    targets: Sequence[Path]
    """Final paths, in this order; the database last."""
    before: str
    """Name of the folder, next to a target, for the files that were there before."""
    about: str
    """What is restored, for the person who completes it."""

    def begin(self) -> None:
        """Write the journal; from now on only `finish` or `discard` may follow."""
        journal = _Journal(places=list(self.targets), before=self.before, about=self.about)
        path = self.folder / RESTORE_JOURNAL
        partial = path.with_suffix(".partial")
        partial.write_text(journal.model_dump_json())
        partial.replace(path)
        sync_folder(path.parent)

    def finish(self) -> list[Path]:
        """Make the moves that are left; return the folders with the files that were there before.

        Raises:
            OSError: one is not possible. Then all are undone, also those made before an
                interruption.
        """
        moved: list[tuple[Path, Path]] = []
        try:
            for target in self.targets:
                staged = staged_path(target)
                if not staged.exists():
                    continue  # it was moved before the crash
                aside = target.parent / self.before
                for old in (*(Path(f"{target}{log}") for log in SQLITE_SUFFIXES), target):
                    if old.exists():
                        aside.mkdir(exist_ok=True)
                        _move(old, aside / old.name, moved)
                _move(staged, target, moved)
                sync_folder(target.parent)
        except BaseException:
            for source, target in reversed(moved):
                target.rename(source)
            for target in self.targets:
                with suppress(OSError):  # it does not exist, or still holds old files
                    (target.parent / self.before).rmdir()
            raise
        self.discard()
        kept = dict.fromkeys(target.parent / self.before for target in self.targets)
        return [folder for folder in kept if folder.exists()]

    def discard(self) -> None:
        """Delete what was not moved to its final place, the journal first."""
        (self.folder / RESTORE_JOURNAL).unlink(missing_ok=True)
        for folder in {
            self.folder / RESTORE_FOLDER,
            *(staged_path(target).parent for target in self.targets),
        }:
            shutil.rmtree(folder, ignore_errors=True)


def staged_path(target: Path) -> Path:
    """Return where the new file of a target waits until it is moved."""
    return target.parent / RESTORE_FOLDER / target.name


def interrupted_swap(folder: Path) -> FileSwap | None:
    """Return the swap of a data folder that a crash interrupted."""
    path = folder / RESTORE_JOURNAL
    if not path.is_file():
        return None
    journal = _Journal.model_validate_json(path.read_bytes())
    return FileSwap(folder, journal.places, journal.before, journal.about)


def _move(source: Path, target: Path, moved: list[tuple[Path, Path]]) -> None:
    source.rename(target)
    moved.append((source, target))
