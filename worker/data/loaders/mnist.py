"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017): 70,000 images of handwritten
digits or of clothes, 28 x 28 pixels, in four files of the same names.

The files are found in their folder, or unpacked or downloaded into it. Their names, checksums and
mirrors are those of torchvision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from contract.comparison.data import FashionMnistData, MnistData
from worker.data.dataset import Pool
from worker.data.official_splits import OfficialPart, draw_pool
from worker.data.sources.archives import gunzip
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

LIMIT: Final = 2**26
"""Most bytes of an unpacked file; the largest has 47,040,016."""

TORCHVISION_CLASSES: Final = {
    "mnist": torchvision.datasets.MNIST,
    "fashion_mnist": torchvision.datasets.FashionMNIST,
}
"""Kind of data -> torchvision's description of it."""

VALIDATION_PART: Final = 6
"""A sixth of the official training images validates: 10,000 of 60,000."""

idx_files: Final = torchvision.datasets.mnist
"""Reader of the files, whose format is called IDX."""


@dataclass(frozen=True)
class PublishedFiles:
    """Where a data set's files are published, and how a download is recognised."""

    name: str
    """Name of the data set and of its folder."""
    mirrors: tuple[str, ...]
    """Addresses to which the name of a file is appended."""
    archives: dict[str, str]
    """Name of each published file, .gz -> its md5."""

    def raw(self, folder: Path) -> Path:
        """Return the folder of the unpacked files, the same as torchvision's."""
        return folder / self.name / "raw"

    def missing(self, folder: Path) -> dict[str, str]:
        """Return the name of each file that is not there unpacked -> md5 of its published .gz."""
        names = {archive.removesuffix(".gz"): md5 for archive, md5 in self.archives.items()}
        raw = self.raw(folder)
        return {name: md5 for name, md5 in names.items() if not (raw / name).is_file()}


def load(
    spec: MnistData | FashionMnistData,
    folder: Path,
    progress: Progress,
    published: PublishedFiles | None = None,
    *,
    resplit: bool = False,
) -> Pool:
    """Load images [N, 1, 28, 28] uint8.

    Args:
        spec: which of the two, and how it is split; see `worker.data.official_splits.draw_pool`.
        folder: the folder of all data sets.
        progress: called while files are downloaded.
        published: the files; by default the official ones of this kind.
        resplit: keep all official items in the pool, in one order for all seeds.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
        CancelledError: raised by `progress`.
    """
    published = published or published_files(spec.kind)
    raw = ensure_files(published, folder, progress)
    training, test = _read(raw, "train"), _read(raw, "t10k")
    return draw_pool(
        training,
        test,
        shares=training.labels,
        train_items=spec.train_items,
        validation_part=VALIDATION_PART,
        seed=spec.seed,
        whole=resplit,
    )


def _read(raw: Path, part: str) -> OfficialPart:
    """Read one official part, train or t10k."""
    images_file, labels_file = raw / f"{part}-images-idx3-ubyte", raw / f"{part}-labels-idx1-ubyte"
    images = _read_checked(images_file, idx_files.read_image_file)
    labels = _read_checked(labels_file, idx_files.read_label_file)
    if images.shape[1:] != (28, 28):
        raise _damaged_error(images_file, f"images of {tuple(images.shape[1:])} instead of 28 x 28")
    if labels.max() > 9:
        raise _damaged_error(
            labels_file, f"a label {int(labels.max())}, and only 0 to 9 are classes"
        )
    if len(images) != len(labels):
        raise _damaged_error(labels_file, f"{len(labels)} labels for {len(images)} images")
    return OfficialPart(images.unsqueeze(1).numpy(), labels.numpy())


def published_files(kind: str) -> PublishedFiles:
    """Return the official files of a kind of data."""
    known = TORCHVISION_CLASSES[kind]
    return PublishedFiles(known.__name__, tuple(known.mirrors), dict(known.resources))


def ensure_files(published: PublishedFiles, folder: Path, progress: Progress) -> Path:
    """Return the folder of the four unpacked files; unpack or download those that are missing.

    Args:
        published: the files.
        folder: the folder of all data sets.
        progress: called while files are downloaded and unpacked.

    Raises:
        DataError: a file is not there and cannot be downloaded or written.
        CancelledError: raised by `progress`; no incomplete file is left.
    """
    raw = published.raw(folder)
    if published.missing(folder):
        try:
            with locked(folder, published.name, progress):
                raw.mkdir(parents=True, exist_ok=True)
                # Another trainer may have been first.
                for name, md5 in published.missing(folder).items():
                    _unpack_or_download(published, name, md5, folder, progress)
        except OSError as error:
            raise DataError(
                f"{published.name} is not in {raw} and cannot be written there: {error}"
            ) from error
    return raw


def _unpack_or_download(
    published: PublishedFiles, name: str, md5: str, folder: Path, progress: Progress
) -> None:
    """Unpack one file, from a .gz in its folder or from a mirror.

    A .gz that was put there by hand need not equal the published one byte for byte: many copies
    have been packed again, and gzip's own checksum reveals a broken one.
    """
    raw = published.raw(folder)
    archive = raw / f"{name}.gz"
    placed, unusable = archive.is_file(), ""
    if placed:
        try:
            gunzip(archive, raw / name, limit=LIMIT, progress=progress)
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
    gunzip(archive, raw / name, limit=LIMIT, progress=progress)
    if not placed:
        archive.unlink()


def _read_checked(path: Path, read: Callable[[str], Any]) -> Tensor:
    """Read a file with torchvision, whose parser raises many kinds of error at a damaged one."""
    try:
        tensor: Tensor = read(str(path))
    except (AssertionError, LookupError, RuntimeError, TypeError, ValueError, OSError) as error:
        raise _damaged_error(path, f"no readable content: {error}") from error
    return tensor


def _damaged_error(path: Path, seen: str) -> DataError:
    return DataError(
        f"{path} is damaged: it holds {seen}. Delete it, and it will be fetched again, or put a "
        "whole one there."
    )
