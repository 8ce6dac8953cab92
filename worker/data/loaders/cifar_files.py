"""The files of CIFAR-10 and CIFAR-100: found in their folder, or unpacked or downloaded into it.
Their names, checksums and address are torchvision's."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.data.sources.downloads import fetch, locked, unpacked
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torch_utils.torchvision_compat import torchvision

LIMIT: Final = 2**28
"""Bytes of an unpacked archive; the larger one has 186,229,760."""

CLASSES: Final = {
    "cifar10": torchvision.datasets.CIFAR10,
    "cifar100": torchvision.datasets.CIFAR100,
}
"""Kind of data -> what torchvision knows of it."""


@dataclass(frozen=True)
class Published:
    """Where a data set is published, and how its files are recognised."""

    name: str
    """Of the data set."""
    folder: str
    """Of its files, in the archive and on the disk."""
    urls: tuple[str, ...]
    """Addresses of the archive."""
    archive: str
    """Its name, .tar.gz."""
    md5: str
    """Of the archive."""
    train: dict[str, str]
    """Name of each file of the official training part -> its md5."""
    test: dict[str, str]
    """The same of the test part."""

    def missing(self, folder: Path) -> list[str]:
        """Name of each file that is not there."""
        names = [*self.train, *self.test]
        return [name for name in names if not (folder / self.folder / name).is_file()]


def published_files(kind: str) -> Published:
    """The official files of a kind of data."""
    known = CLASSES[kind]
    return Published(
        name=known.__name__,
        folder=known.base_folder,
        urls=(known.url,),
        archive=known.filename,
        md5=known.tgz_md5,
        train=dict(known.train_list),
        test=dict(known.test_list),
    )


def complete(published: Published, folder: Path, progress: Progress) -> Path:
    """The folder of the files, each of which is there.

    Args:
        published: which files.
        folder: of all data sets.
        progress: told how far downloading and unpacking are.

    Raises:
        DataError: a file is neither there nor to be had, or cannot be written.
        CancelledError: by `progress`; nothing half is left.
    """
    own = folder / published.folder
    if published.missing(folder):
        try:
            with locked(folder, published.name, progress):
                if published.missing(folder):  # another trainer may have been first
                    _obtain(published, folder, progress)
        except OSError as error:
            raise DataError(
                f"{published.name} is not in {own} and cannot be written there: {error}"
            ) from error
    return own


def checked(path: Path, md5: str) -> bytes:
    """Content of an official file.

    Raises:
        DataError: it is not the official one, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise damaged(path, f"{len(content):,} bytes with md5 {found}, the official has {md5}")
    return content


def damaged(path: Path, seen: str) -> DataError:
    """The error of a file that is not what it should be."""
    return DataError(
        f"{path} is damaged: it holds {seen}. Delete it, and it will be fetched again, or put the "
        "official one there."
    )


def _obtain(published: Published, folder: Path, progress: Progress) -> None:
    """Unpack the archive that somebody put there, or else the published one.

    The files' own checksums are checked whenever they are read, so that an archive may be packed
    anew.
    """
    archive = folder / published.archive
    placed, unusable = archive.is_file(), ""
    if placed:
        try:
            _unpack(published, archive, folder, progress)
        except DataError as error:
            unusable = f"{error} "
        else:
            return
    fetch(
        published.urls,
        archive,
        md5=published.md5,
        progress=progress,
        advice=f"{unusable}Looked in {folder / published.folder} for "
        f"{', '.join(published.missing(folder))}, and in {folder} for {published.archive}. Put "
        "either of them there, or set LOSSBOARD_DATASETS_DIR to a folder that has them.",
    )
    _unpack(published, archive, folder, progress)
    if not placed:
        archive.unlink()


def _unpack(published: Published, archive: Path, folder: Path, progress: Progress) -> None:
    """Put the missing files into their folder.

    Raises:
        DataError: the archive is unusable, or does not hold them.
    """
    scratch = folder / f".{published.folder}.unpacked"
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    try:
        unpacked(archive, scratch, limit=LIMIT, progress=progress)
        for name in (missing := published.missing(folder)):
            if not (scratch / published.folder / name).is_file():
                raise DataError(f"{archive} holds no {published.folder}/{name}.")
        (folder / published.folder).mkdir(exist_ok=True)
        for name in missing:
            (scratch / published.folder / name).replace(folder / published.folder / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
