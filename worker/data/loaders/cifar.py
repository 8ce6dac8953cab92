"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 60,000 colour images of 32 x 32 pixels.

The files of CIFAR-10 and CIFAR-100: found in their folder, or unpacked or downloaded into it.
Their names, checksums and address are torchvision's.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from contract.comparison.data import Cifar10Data, Cifar100Data
from worker.data import official_splits as official
from worker.data.dataset import Pool
from worker.data.formats import cifar_pickle
from worker.data.formats.cifar_pickle import ContentError
from worker.data.sources.archives import unpacked
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

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


VALIDATION_PART: Final = 5
"""One in so many official training images validates: 10,000 of 50,000."""
SHAPE: Final = (3, 32, 32)

LABELS: Final = {
    "cifar10": {"labels": 10},
    "cifar100": {"fine_labels": 100, "coarse_labels": 20},
}
"""Kind of data -> which labels its files hold, and of how many classes; those first that keep
their shares when items are drawn."""

Content = dict[str, np.ndarray]
"""Images [N, 3, 32, 32] uint8 as "data", and labels [N] int64 under their names."""


def load(
    spec: Cifar10Data | Cifar100Data,
    folder: Path,
    progress: Progress,
    published: Published | None = None,
) -> Pool:
    """Images [N, 3, 32, 32] uint8.

    CIFAR-100's fine labels are the 100 classes when the 20 coarse ones train; which items are in
    which split does not depend on that.

    Args:
        spec: which of the two, and how it is split; see `official.pool`.
        folder: of all data sets.
        progress: told how far downloading and unpacking are.
        published: the files; by default the official ones of the spec's kind.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
        CancelledError: by `progress`.
    """
    published = published or published_files(spec.kind)
    own = complete(published, folder, progress)
    labels = LABELS[spec.kind]
    training, test = _read(own, published.train, labels), _read(own, published.test, labels)
    return official.pool(
        _part(spec, training),
        _part(spec, test),
        shares=training[next(iter(labels))],
        train_items=spec.train_items,
        validation_part=VALIDATION_PART,
        seed=spec.seed,
    )


def _part(spec: Cifar10Data | Cifar100Data, content: Content) -> official.Part:
    if isinstance(spec, Cifar10Data):
        return official.Part(content["data"], content["labels"])
    if spec.train_labels == "coarse":
        return official.Part(content["data"], content["coarse_labels"], content["fine_labels"])
    return official.Part(content["data"], content["fine_labels"])


def _read(own: Path, files: Mapping[str, str], labels: Mapping[str, int]) -> Content:
    """One official part, its files behind one another."""
    batches = [_read_file(own / name, md5, labels) for name, md5 in files.items()]
    return {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}


def _read_file(path: Path, md5: str, labels: Mapping[str, int]) -> Content:
    content = checked(path, md5)
    try:
        held = cifar_pickle.read(content)
        images = _images(held)
        return {
            "data": images,
            **{key: _labels(held, key, len(images), classes) for key, classes in labels.items()},
        }
    except ContentError as error:
        raise damaged(path, str(error)) from error


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
