"""Published data sets as their archives bring them: found, unpacked or downloaded."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.data.downloads import ADVICE, fetch, locked, unpacked
from worker.errors import DataError
from worker.progress import Progress

SHOWN: Final = 5
"""Things named in a message; the others are counted."""


@dataclass(frozen=True)
class Published:
    """A data set whose archive holds one folder with everything in it."""

    label: str
    folder: str
    """Its folder below that of all data sets, named as in the archive."""
    marker: str
    """A file in that folder by which it is recognised, also inside the archive."""
    archive: str
    """The archive's file name, as it is published."""
    urls: tuple[str, ...] = ()
    """None where its host is gone or wants a licence accepted: then it is placed by hand."""
    md5: str | None = None
    limit: int = 20 * 10**9
    """Most bytes of the unpacked archive."""


def complete(
    source: Published, folder: Path, progress: Progress, archive: Path | None = None
) -> Path:
    """The data set's own folder, unpacked.

    Args:
        source: what is looked for.
        folder: of all data sets.
        progress: told how far downloading and unpacking are.
        archive: taken instead of one that lies in the folder; stays where it is.

    Raises:
        DataError: it is not there and cannot be had, or the archive is damaged or another one.
        CancelledError: by `progress`; nothing half is left.
    """
    root = folder / source.folder
    if (root / source.marker).is_file():
        return root
    try:
        with locked(folder, source.folder, progress):
            if not (root / source.marker).is_file():  # another run may have been first
                _unpack(source, folder, progress, archive)
    except OSError as error:
        raise DataError(f"{source.label} is not in {root}, nor to be put there: {error}") from error
    return root


def _unpack(source: Published, folder: Path, progress: Progress, archive: Path | None) -> None:
    placed = folder / source.archive
    downloaded = archive is None and not placed.is_file()
    if downloaded:
        fetch(
            source.urls,
            placed,
            md5=source.md5,
            progress=progress,
            advice=f"{ADVICE} A folder {folder / source.folder} with {source.marker} will do too.",
        )
    used = archive or placed
    root, scratch = folder / source.folder, folder / f"{source.folder}.unpacked"
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    try:
        unpacked(used, scratch, limit=source.limit, progress=progress)
        found = sorted(path.parent for path in scratch.rglob(Path(source.marker).name))
        inside = [path for path in found if (path / source.marker).is_file()]
        if not inside:
            raise DataError(
                f"{used} holds no {source.marker}, so it is not the archive of {source.label}"
            )
        shutil.rmtree(root, ignore_errors=True)  # without its marker it was not whole
        inside[0].replace(root)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if downloaded:
        placed.unlink()


def rows(path: Path, columns: int, *, header: bool = False) -> list[list[str]]:
    """The words of each line of an official list; of the last column all that is left.

    Raises:
        DataError: it cannot be read; names the first line with too few columns.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        words = line.split(maxsplit=columns - 1)
        if not words or (header and number == 1):
            continue
        if len(words) < columns:
            raise DataError(
                f"{path}, line {number}: {columns} columns are needed, {line!r} has {len(words)}"
            )
        found.append(words)
    if not found:
        raise DataError(f"{path} lists nothing; put the official file there")
    return found


def number(text: str, path: Path, least: int = 0) -> int:
    """A whole number of a list.

    Raises:
        DataError: it is none, or too small.
    """
    if not text.isdecimal() or int(text) < least:
        raise DataError(f"{path}: {text!r} is no whole number from {least} up")
    return int(text)


def all_there(paths: Sequence[Path], source: Path) -> tuple[Path, ...]:
    """The listed files, every one of which is there.

    Raises:
        DataError: names the first that are missing, and how many.
    """
    missing = [path for path in paths if not path.is_file()]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise DataError(
            f"{source} lists images that are not there: "
            f"{', '.join(map(str, missing[:SHOWN]))}{more}. Remove the folder and unpack it again."
        )
    return tuple(paths)
