"""Puts restored files in their targets, all of them or none; what was there before stays beside.

All moves are renames within a folder. A journal tells of them from before the first until after
the last one, so one that a crash has cut off is completed by the next restore; until then no API
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
"""What SQLite keeps beside its file."""


class _Journal(BaseModel):
    places: list[Path]
    before: str
    about: str


@dataclass(frozen=True)
class FileSwap:
    """What is to be put where."""

    folder: Path
    """The data folder, which keeps the journal."""
    targets: Sequence[Path]
    """In this order; the database last."""
    before: str
    """Name of the folder, beside a place, for what was there."""
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
        """Make the moves that are still to be made; the folders with what was there before.

        Raises:
            OSError: one is not possible. Then, as after an interruption, all are taken back.
        """
        moved: list[tuple[Path, Path]] = []
        try:
            for place in self.targets:
                staged = staged_path(place)
                if not staged.exists():
                    continue  # was put in its place before the crash
                aside = place.parent / self.before
                for old in (*(Path(f"{place}{log}") for log in SQLITE_SUFFIXES), place):
                    if old.exists():
                        aside.mkdir(exist_ok=True)
                        _move(old, aside / old.name, moved)
                _move(staged, place, moved)
                sync_folder(place.parent)
        except BaseException:
            for source, target in reversed(moved):
                target.rename(source)
            for place in self.targets:
                with suppress(OSError):  # there is none, or it holds something of before
                    (place.parent / self.before).rmdir()
            raise
        self.discard()
        kept = dict.fromkeys(place.parent / self.before for place in self.targets)
        return [folder for folder in kept if folder.exists()]

    def discard(self) -> None:
        """Forget what was not put in its place, the journal first."""
        (self.folder / RESTORE_JOURNAL).unlink(missing_ok=True)
        for folder in {
            self.folder / RESTORE_FOLDER,
            *(staged_path(one).parent for one in self.targets),
        }:
            shutil.rmtree(folder, ignore_errors=True)


def staged_path(place: Path) -> Path:
    """Where that waits which is to come to a place."""
    return place.parent / RESTORE_FOLDER / place.name


def interrupted_swap(folder: Path) -> FileSwap | None:
    """The swap of a data folder that a crash has cut off."""
    path = folder / RESTORE_JOURNAL
    if not path.is_file():
        return None
    journal = _Journal.model_validate_json(path.read_bytes())
    return FileSwap(folder, journal.places, journal.before, journal.about)


def _move(source: Path, target: Path, moved: list[tuple[Path, Path]]) -> None:
    source.rename(target)
    moved.append((source, target))
