"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 60,000 colour images of 32 x 32 pixels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from contract.comparison.data import Cifar10Data, Cifar100Data
from worker.data import official_splits as official
from worker.data.dataset import Pool
from worker.data.formats import cifar_pickle
from worker.data.formats.cifar_pickle import ContentError
from worker.data.loaders import cifar_files
from worker.data.loaders.cifar_files import Published, checked, damaged
from worker.reporting.progress import Progress

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
    published = published or cifar_files.published_files(spec.kind)
    own = cifar_files.complete(published, folder, progress)
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
