"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 60,000 colour images of 32 x 32 pixels.

The files are found in their folder, or unpacked or downloaded into it. Their names, checksums and
address are those of torchvision.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from contract.comparison.data import Cifar10Data, Cifar100Data
from worker.data.dataset import Pool
from worker.data.formats import cifar_pickle
from worker.data.formats.cifar_pickle import ContentError
from worker.data.official_splits import OfficialPart, draw_pool
from worker.data.sources.archives import unpack
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

LIMIT: Final = 2**28
"""Most bytes of an unpacked archive; the larger one has 186,229,760."""

TORCHVISION_CLASSES: Final = {
    "cifar10": torchvision.datasets.CIFAR10,
    "cifar100": torchvision.datasets.CIFAR100,
}
"""Kind of data -> torchvision's description of it."""

VALIDATION_PART: Final = 5
"""A fifth of the official training images validates: 10,000 of 50,000."""

SHAPE: Final = (3, 32, 32)

LABELS: Final = {
    "cifar10": {"labels": 10},
    "cifar100": {"fine_labels": 100, "coarse_labels": 20},
}
"""Kind of data -> the labels in its files and their numbers of classes. The shares of the first
labels are kept when items are drawn."""

Content = dict[str, np.ndarray]
"""Images [N, 3, 32, 32] uint8 as "data", and labels [N] int64 under their names."""


@dataclass(frozen=True)
class PublishedFiles:
    """Where a data set is published, and how its files are recognised."""

    name: str
    """Name of the data set."""
    folder: str
    """Folder of its files, in the archive and on the disk."""
    urls: tuple[str, ...]
    """Addresses of the archive."""
    archive: str
    """File name of the archive, .tar.gz."""
    md5: str
    """Checksum of the archive."""
    train: dict[str, str]
    """Name of each file of the official training part -> its md5."""
    test: dict[str, str]
    """The same for the test part."""

    def missing(self, folder: Path) -> list[str]:
        """Return the name of each file that is not there."""
        names = [*self.train, *self.test]
        return [name for name in names if not (folder / self.folder / name).is_file()]


def load(
    spec: Cifar10Data | Cifar100Data,
    folder: Path,
    progress: Progress,
    published: PublishedFiles | None = None,
    *,
    resplit: bool = False,
) -> Pool:
    """Load images [N, 3, 32, 32] uint8.

    If CIFAR-100 is trained on its 20 coarse classes, the 100 classes are its fine labels; the items
    of each split do not depend on this choice.

    Args:
        spec: which of the two, and how it is split; see `worker.data.official_splits.draw_pool`.
        folder: the folder of all data sets.
        progress: called while the archive is downloaded and unpacked.
        published: the files; by default the official ones of this kind.
        resplit: keep all official items in the pool, in one order for all seeds.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
        CancelledError: raised by `progress`.
    """
    published = published or published_files(spec.kind)
    own = ensure_files(published, folder, progress)
    labels = LABELS[spec.kind]
    training, test = _read(own, published.train, labels), _read(own, published.test, labels)
    return draw_pool(
        _part(spec, training),
        _part(spec, test),
        shares=training[next(iter(labels))],
        train_items=spec.train_items,
        validation_part=VALIDATION_PART,
        seed=spec.seed,
        whole=resplit,
    )


def _part(spec: Cifar10Data | Cifar100Data, content: Content) -> OfficialPart:
    if isinstance(spec, Cifar10Data):
        return OfficialPart(content["data"], content["labels"])
    if spec.train_labels == "coarse":
        return OfficialPart(content["data"], content["coarse_labels"], content["fine_labels"])
    return OfficialPart(content["data"], content["fine_labels"])


def _read(own: Path, files: Mapping[str, str], labels: Mapping[str, int]) -> Content:
    """Read one official part: its files joined in order."""
    batches = [_read_file(own / name, md5, labels) for name, md5 in files.items()]
    return {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}


def _read_file(path: Path, md5: str, labels: Mapping[str, int]) -> Content:
    content = read_checked(path, md5)
    try:
        held = cifar_pickle.read_pickle(content)
        images = _images(held)
        return {
            "data": images,
            **{key: _labels(held, key, len(images), classes) for key, classes in labels.items()},
        }
    except ContentError as error:
        raise damaged_error(path, str(error)) from error


def _images(held: dict[str, Any]) -> np.ndarray:
    images = held.get("data")
    width = int(np.prod(SHAPE))
    if not isinstance(images, np.ndarray) or images.ndim != 2 or images.shape[1] != width:
        shape = images.shape if isinstance(images, np.ndarray) else type(images).__name__
        raise ContentError(f"images {shape} instead of N rows of {width} bytes")
    return images.reshape(len(images), *SHAPE)


def _labels(held: dict[str, Any], key: str, items: int, classes: int) -> np.ndarray:
    labels = held.get(key)
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise ContentError(f"no list of numbers as {key}")
    if len(labels) != items:
        raise ContentError(f"{len(labels)} {key} for {items} images")
    if not all(0 <= label < classes for label in labels):
        raise ContentError(f"{key} that are not 0 to {classes - 1}")
    return np.array(labels, dtype=np.int64)


def published_files(kind: str) -> PublishedFiles:
    """Return the official files of a kind of data."""
    known = TORCHVISION_CLASSES[kind]
    return PublishedFiles(
        name=known.__name__,
        folder=known.base_folder,
        urls=(known.url,),
        archive=known.filename,
        md5=known.tgz_md5,
        train=dict(known.train_list),
        test=dict(known.test_list),
    )


def ensure_files(published: PublishedFiles, folder: Path, progress: Progress) -> Path:
    """Return the folder of the files; unpack or download the archive if some are missing.

    Args:
        published: the files.
        folder: the folder of all data sets.
        progress: called while the archive is downloaded and unpacked.

    Raises:
        DataError: a file is not there and cannot be downloaded or written.
        CancelledError: raised by `progress`; nothing incomplete is left.
    """
    own = folder / published.folder
    if published.missing(folder):
        try:
            with locked(folder, published.name, progress):
                if published.missing(folder):  # another trainer may have been first
                    _unpack_or_download(published, folder, progress)
        except OSError as error:
            raise DataError(
                f"{published.name} is not in {own} and cannot be written there: {error}"
            ) from error
    return own


def read_checked(path: Path, md5: str) -> bytes:
    """Read an official file after checking its md5.

    Raises:
        DataError: it is not the official one, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise damaged_error(
            path, f"{len(content):,} bytes with md5 {found}, the official has {md5}"
        )
    return content


def damaged_error(path: Path, seen: str) -> DataError:
    """Return the error for a file that is not the official one."""
    return DataError(
        f"{path} is damaged: it holds {seen}. Delete it, and it will be fetched again, or put the "
        "official one there."
    )


def _unpack_or_download(published: PublishedFiles, folder: Path, progress: Progress) -> None:
    """Unpack an archive that was put there by hand, or else the published one.

    The checksums of the files are checked whenever these are read, so the archive itself may have
    been packed again.
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


def _unpack(published: PublishedFiles, archive: Path, folder: Path, progress: Progress) -> None:
    """Put the missing files into their folder.

    Raises:
        DataError: the archive is unusable, or does not hold them.
    """
    scratch = folder / f".{published.folder}.unpacked"
    shutil.rmtree(scratch, ignore_errors=True)  # left by a process that was killed
    try:
        unpack(archive, scratch, limit=LIMIT, progress=progress)
        for name in (missing := published.missing(folder)):
            if not (scratch / published.folder / name).is_file():
                raise DataError(f"{archive} holds no {published.folder}/{name}.")
        (folder / published.folder).mkdir(exist_ok=True)
        for name in missing:
            (scratch / published.folder / name).replace(folder / published.folder / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
