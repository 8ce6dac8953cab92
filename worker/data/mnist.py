"""MNIST (LeCun et al. 1998): 70,000 images of handwritten digits, 28 x 28 pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from contract.data import MnistData, class_count
from worker.data import mnist_files
from worker.data.dataset import Dataset, Split
from worker.errors import DataError
from worker.vision import torchvision

VALIDATION_PART: Final = 6
"""One in so many official training images validates: 10,000 of 60,000."""

idx: Final = torchvision.datasets.mnist
"""Reads the files."""


def load(spec: MnistData, folder: Path) -> Dataset:
    """Images [N, 1, 28, 28] with values 0 to 1.

    Validation is drawn from the official training images, each digit with its share, and is the
    same whatever the number of training items; these are drawn from the rest in the same way. The
    test split is the official one, in its order.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
    """
    raw = mnist_files.complete(folder)
    images, labels = _read(raw, "train")
    rng = np.random.default_rng([spec.seed, 1])
    members = [rng.permutation(np.flatnonzero(labels.numpy() == d)) for d in range(10)]
    validation = _draw(members, len(labels) // VALIDATION_PART)
    rest = [own[len(drawn) :] for own, drawn in zip(members, validation, strict=True)]
    train = _draw(rest, min(spec.train_items, sum(map(len, rest))))
    test = _read(raw, "t10k")
    return Dataset(
        _split(images, labels, np.sort(np.concatenate(train))),
        _split(images, labels, np.sort(np.concatenate(validation))),
        _split(*test, np.arange(len(test[1]))),
        class_count(spec),
    )


def _draw(members: list[np.ndarray], total: int) -> list[np.ndarray]:
    """The first of each class's members, `total` in all, each class in proportion.

    Whole shares first, then one more each for the largest remainders (Hamilton's method).
    """
    counts = np.array([len(own) for own in members])
    whole, remainders = np.divmod(total * counts, counts.sum())
    largest = np.argsort(-remainders, kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return [own[:share] for own, share in zip(members, whole, strict=True)]


def _split(images: Tensor, labels: Tensor, index: np.ndarray) -> Split:
    chosen = torch.from_numpy(index)
    return Split(images[chosen].unsqueeze(1).float().div_(255), labels[chosen])


def _read(raw: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images [N, 28, 28] uint8 and labels [N] int64 of one official part, train or t10k."""
    images_file, labels_file = raw / f"{part}-images-idx3-ubyte", raw / f"{part}-labels-idx1-ubyte"
    images = _readable(images_file, idx.read_image_file)
    labels = _readable(labels_file, idx.read_label_file)
    if images.shape[1:] != (28, 28):
        raise _damaged(images_file, f"images of {tuple(images.shape[1:])} instead of 28 x 28")
    if labels.max() > 9:
        raise _damaged(labels_file, f"a label {int(labels.max())}, and only 0 to 9 are digits")
    if len(images) != len(labels):
        raise _damaged(labels_file, f"{len(labels)} labels for {len(images)} images")
    return images, labels


def _readable(path: Path, read: Callable[[str], Any]) -> Tensor:
    """What torchvision reads in a file; it tells of damage by whatever its parser runs into."""
    try:
        tensor: Tensor = read(str(path))
    except (AssertionError, LookupError, RuntimeError, TypeError, ValueError, OSError) as error:
        raise _damaged(path, f"no readable content: {error}") from error
    return tensor


def _damaged(path: Path, seen: str) -> DataError:
    return DataError(
        f"{path} is damaged: it holds {seen}. Delete it, and it will be fetched again, or put a "
        "whole one there."
    )
