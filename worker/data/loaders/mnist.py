"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017): 70,000 images of handwritten
digits or of clothes, 28 x 28 pixels, in the same four files.

The four files of MNIST and of Fashion-MNIST: found in their folder, or unpacked or downloaded
into it. Their names, checksums and mirrors are torchvision's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from contract.comparison.data import FashionMnistData, MnistData
from worker.data import official_splits as official
from worker.data.dataset import Pool
from worker.data.sources.archives import gunzipped
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

LIMIT: Final = 2**26
"""Bytes of an unpacked file; the largest has 47,040,016."""

CLASSES: Final = {
    "mnist": torchvision.datasets.MNIST,
    "fashion_mnist": torchvision.datasets.FashionMNIST,
}
"""Kind of data -> what torchvision knows of it."""


@dataclass(frozen=True)
class Published:
    """Where a data set's files are published, and how a download is recognised."""

    name: str
    """Of the data set and of its folder."""
    mirrors: tuple[str, ...]
    """Addresses to which a file's name is added."""
    archives: dict[str, str]
    """Name of each file as it is published, .gz -> its md5."""

    def raw(self, folder: Path) -> Path:
        """Where the unpacked files lie, as torchvision has it."""
        return folder / self.name / "raw"

    def missing(self, folder: Path) -> dict[str, str]:
        """Name of each file that is not there unpacked -> md5 of its published .gz."""
        names = {archive.removesuffix(".gz"): md5 for archive, md5 in self.archives.items()}
        raw = self.raw(folder)
        return {name: md5 for name, md5 in names.items() if not (raw / name).is_file()}


def published_files(kind: str) -> Published:
    """The official files of a kind of data."""
    known = CLASSES[kind]
    return Published(known.__name__, tuple(known.mirrors), dict(known.resources))


def complete(published: Published, folder: Path, progress: Progress) -> Path:
    """The folder of the four unpacked files, each of which is there.

    Args:
        published: which files.
        folder: of all data sets.
        progress: told how far downloading is.

    Raises:
        DataError: a file is neither there nor to be had, or cannot be written.
        CancelledError: by `progress`; no half file is left.
    """
    raw = published.raw(folder)
    if published.missing(folder):
        try:
            with locked(folder, published.name, progress):
                raw.mkdir(parents=True, exist_ok=True)
                # Another trainer may have been first.
                for name, md5 in published.missing(folder).items():
                    _obtain(published, name, md5, folder, progress)
        except OSError as error:
            raise DataError(
                f"{published.name} is not in {raw} and cannot be written there: {error}"
            ) from error
    return raw


def _obtain(published: Published, name: str, md5: str, folder: Path, progress: Progress) -> None:
    """Unpack one file, from the .gz beside its place or from a mirror.

    A .gz that somebody put there need not be the published one, byte for byte: many copies are
    packed anew, and gzip's own checksum tells a broken one.
    """
    raw = published.raw(folder)
    archive = raw / f"{name}.gz"
    placed, unusable = archive.is_file(), ""
    if placed:
        try:
            gunzipped(archive, raw / name, limit=LIMIT, progress=progress)
        except DataError as error:
            unusable = f"{error} "
        else:
            return
    fetch(
        [f"{mirror}{archive.name}" for mirror in published.mirrors],
        archive,
        md5=md5,
        progress=progress,
        advice=f"{unusable}Looked in {raw} for {', '.join(published.missing(folder))}, unpacked "
        "or as .gz. Put the missing files into that folder, or set LOSSBOARD_DATASETS_DIR to a "
        f"folder that has them in its {published.name}/raw.",
    )
    gunzipped(archive, raw / name, limit=LIMIT, progress=progress)
    if not placed:
        archive.unlink()


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
    published = published or published_files(spec.kind)
    raw = complete(published, folder, progress)
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
