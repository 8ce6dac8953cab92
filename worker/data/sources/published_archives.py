"""Published data sets as their archives bring them: found, unpacked or downloaded."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.data.sources.archives import unpacked
from worker.data.sources.downloads import ADVICE, fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress

LIMIT: Final = 20 * 10**9
"""Most bytes of an unpacked archive; the largest has 3 GB."""

Find = Callable[[Path], list[Path]]
"""The folders below one that are wanted; the uppermost is taken."""


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
    md5: str | None = None
    """Of a downloaded archive; a placed one may have been packed anew."""


def complete(source: Published, folder: Path, progress: Progress) -> Path:
    """The data set's own folder, unpacked.

    Args:
        source: what is looked for.
        folder: of all data sets.
        progress: told how far downloading and unpacking are.

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
                _check_free(source, root)
                _obtain(source, folder, progress)
    except OSError as error:
        raise DataError(f"{source.label} is not in {root}, nor to be put there: {error}") from error
    return root


def unpack_folder(archive: Path, target: Path, find: Find, progress: Progress) -> None:
    """Unpack one folder of an archive.

    Args:
        archive: stays where it is.
        target: what that folder becomes, at once and whole; is not there yet, or empty.
        find: the folder among the unpacked files.
        progress: told how far it is.

    Raises:
        DataError: the archive is damaged, or holds no such folder; nothing of it is left.
        OSError: the target cannot be written.
        CancelledError: by `progress`; nothing is left.
    """
    scratch = target.with_name(f".{target.name}.unpacked")
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    try:
        unpacked(archive, scratch, limit=LIMIT, progress=progress)
        found = sorted(find(scratch), key=lambda path: len(path.parts))
        if not found:
            raise DataError(
                f"{archive} is not the official archive: it does not hold what becomes {target}. "
                "Put the official one there."
            )
        found[0].replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def holding(name: str) -> Find:
    """Finds folders with a file of that name in them."""
    return lambda root: [path.parent for path in root.rglob(name) if path.is_file()]


def named(name: str) -> Find:
    """Finds folders of that name."""
    return lambda root: [path for path in root.rglob(name) if path.is_dir()]


def _check_free(source: Published, root: Path) -> None:
    """What somebody put there must not be lost, and is not whole."""
    if root.is_dir() and any(root.iterdir()):
        raise DataError(
            f"{root} is there but holds no {source.marker}, so it is not the whole of "
            f"{source.label}. Complete it, or remove it to have it unpacked again."
        )


def _obtain(source: Published, folder: Path, progress: Progress) -> None:
    placed = folder / source.archive
    downloaded = not placed.is_file()
    if downloaded:
        fetch(
            source.urls,
            placed,
            md5=source.md5,
            progress=progress,
            advice=f"{ADVICE} A folder {folder / source.folder} with {source.marker} will do too.",
        )
    try:
        unpack_folder(placed, folder / source.folder, holding(source.marker), progress)
    finally:
        if downloaded:
            placed.unlink()
