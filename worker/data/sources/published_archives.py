"""Data sets published as one archive: found unpacked, or unpacked or downloaded at first use."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.data.sources.archives import unpack
from worker.data.sources.downloads import ADVICE, fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress

LIMIT: Final = 20 * 10**9
"""Most bytes of an unpacked archive; the largest has 3 GB."""

FindFolders = Callable[[Path], list[Path]]
"""Finds the wanted folders below a folder; the uppermost of them is used."""


@dataclass(frozen=True)
class PublishedArchive:
    """A data set whose archive holds one folder with everything in it."""

    label: str
    folder: str
    """Its folder in the folder of all data sets, named as in the archive."""
    marker: str
    """A file by which the folder is recognised, on the disk and inside the archive."""
    archive: str
    """File name of the archive, as published."""
    urls: tuple[str, ...] = ()
    """Addresses of the archive."""
    md5: str | None = None
    """Checksum of a downloaded archive; one put there by hand may have been packed again."""


def ensure_unpacked(source: PublishedArchive, folder: Path, progress: Progress) -> Path:
    """Return the folder of a data set; unpack or download its archive if it is not there.

    Args:
        source: the data set.
        folder: the folder of all data sets.
        progress: called while the archive is downloaded and unpacked.

    Raises:
        DataError: it is not there and cannot be downloaded, or the archive is damaged or another
            one.
        CancelledError: raised by `progress`; nothing incomplete is left.
    """
    root = folder / source.folder
    if (root / source.marker).is_file():
        return root
    try:
        with locked(folder, source.folder, progress):
            if not (root / source.marker).is_file():  # another run may have been first
                _check_free(source, root)
                _unpack_or_download(source, folder, progress)
    except OSError as error:
        raise DataError(f"{source.label} is not in {root}, nor to be put there: {error}") from error
    return root


def unpack_folder(archive: Path, target: Path, find: FindFolders, progress: Progress) -> None:
    """Unpack one folder of an archive.

    Args:
        archive: the archive; it is kept.
        target: the path that the folder gets in one step, once complete; does not exist yet, or is
            empty.
        find: finds the folder among the unpacked files.
        progress: called while the archive is unpacked.

    Raises:
        DataError: the archive is damaged, or holds no such folder; nothing of it is left.
        OSError: the target cannot be written.
        CancelledError: raised by `progress`; nothing is left.
    """
    scratch = target.with_name(f".{target.name}.unpacked")
    shutil.rmtree(scratch, ignore_errors=True)  # left by a process that was killed
    try:
        unpack(archive, scratch, limit=LIMIT, progress=progress)
        found = sorted(find(scratch), key=lambda path: len(path.parts))
        if not found:
            raise DataError(
                f"{archive} is not the official archive: it does not hold what becomes {target}. "
                "Put the official one there."
            )
        found[0].replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def folders_with_file(name: str) -> FindFolders:
    """Return a function that finds folders with a file of that name in them."""
    return lambda root: [path.parent for path in root.rglob(name) if path.is_file()]


def folders_named(name: str) -> FindFolders:
    """Return a function that finds folders of that name."""
    return lambda root: [path for path in root.rglob(name) if path.is_dir()]


def _check_free(source: PublishedArchive, root: Path) -> None:
    """Refuse a folder that has content but is not complete: files put there must not be lost."""
    if root.is_dir() and any(root.iterdir()):
        raise DataError(
            f"{root} is there but holds no {source.marker}, so it is not the whole of "
            f"{source.label}. Complete it, or remove it to have it unpacked again."
        )


def _unpack_or_download(source: PublishedArchive, folder: Path, progress: Progress) -> None:
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
        unpack_folder(placed, folder / source.folder, folders_with_file(source.marker), progress)
    finally:
        if downloaded:
            placed.unlink()
