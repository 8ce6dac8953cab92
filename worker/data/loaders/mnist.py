"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017): 70,000 images of handwritten
digits or of clothes, 28 x 28 pixels, in the same four files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from contract.comparison.data import FashionMnistData, MnistData
from worker.data import official_splits as official
from worker.data.dataset import Pool
from worker.data.loaders import mnist_files
from worker.data.loaders.mnist_files import Published
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torch_utils.torchvision_compat import torchvision

VALIDATION_PART: Final = 6
"""One in so many official training images validates: 10,000 of 60,000."""

idx: Final = torchvision.datasets.mnist
"""Reads the files."""


def load(
    spec: MnistData | FashionMnistData,
    folder: Path,
    progress: Progress,
    published: Published | None = None,
) -> Pool:
    """Images [N, 1, 28, 28] uint8.

    Args:
        spec: which of the two, and how it is split; see `official.pool`.
        folder: of all data sets.
        progress: told how far downloading is.
        published: the files; by default the official ones of the spec's kind.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
        CancelledError: by `progress`.
    """
    published = published or mnist_files.published_files(spec.kind)
    raw = mnist_files.complete(published, folder, progress)
    training, test = _read(raw, "train"), _read(raw, "t10k")
    return official.pool(
        training,
        test,
        shares=training.labels,
        train_items=spec.train_items,
        validation_part=VALIDATION_PART,
        seed=spec.seed,
    )


def _read(raw: Path, part: str) -> official.Part:
    """One official part, train or t10k."""
    images_file, labels_file = raw / f"{part}-images-idx3-ubyte", raw / f"{part}-labels-idx1-ubyte"
    images = _readable(images_file, idx.read_image_file)
    labels = _readable(labels_file, idx.read_label_file)
    if images.shape[1:] != (28, 28):
        raise _damaged(images_file, f"images of {tuple(images.shape[1:])} instead of 28 x 28")
    if labels.max() > 9:
        raise _damaged(labels_file, f"a label {int(labels.max())}, and only 0 to 9 are classes")
    if len(images) != len(labels):
        raise _damaged(labels_file, f"{len(labels)} labels for {len(images)} images")
    return official.Part(images.unsqueeze(1).numpy(), labels.numpy())


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
