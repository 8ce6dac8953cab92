"""The four files of MNIST and of Fashion-MNIST: found in their folder, or unpacked or downloaded
into it. Their names, checksums and mirrors are torchvision's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.data.sources.archives import gunzipped
from worker.data.sources.downloads import fetch, locked
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torch_utils.torchvision_compat import torchvision

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
