"""CARS196, the Stanford Cars (Krause et al. 2013): 16,185 photographs of 196 models of cars.

Its host is gone, so that its files are placed by hand, in either of two layouts:

- cars196/cars_annos.mat with cars196/car_ims/ or car_ims.tgz beside it, as first published;
- stanford_cars/ as torchvision has it: devkit/cars_train_annos.mat with cars_train/, and
  cars_test_annos_withlabels.mat with cars_test/; car_devkit.tgz, cars_train.tgz and cars_test.tgz
  will do for the folders.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.comparison.data import Cars196Data
from worker.data.dataset import Pool
from worker.data.formats.cars196_mat import Annotation, annotations
from worker.data.formats.image_lists import images
from worker.data.loaders.fine_grained import pool
from worker.data.sources.downloads import locked
from worker.data.sources.published_archives import Find, holding, named, unpack_folder
from worker.errors import DataError
from worker.reporting.progress import Progress


@dataclass(frozen=True)
class Piece:
    """A folder, and the archive that has it."""

    folder: str
    archive: str
    find: Find


FIRST: Final = "cars196"
ANNOTATIONS: Final = "cars_annos.mat"
IMAGES: Final = Piece("car_ims", "car_ims.tgz", named("car_ims"))

TORCHVISION: Final = "stanford_cars"
PARTS: Final = {
    "cars_train": "devkit/cars_train_annos.mat",
    "cars_test": "cars_test_annos_withlabels.mat",
}
"""Folder of images -> their annotations."""
PIECES: Final = (
    Piece("devkit", "car_devkit.tgz", holding("cars_train_annos.mat")),
    *(Piece(part, f"{part}.tgz", named(part)) for part in PARTS),
)


def load(spec: Cars196Data, folder: Path, progress: Progress) -> Pool:
    """Images and classes by the official annotations.

    Raises:
        DataError: files are missing or do not fit together.
        CancelledError: by `progress`.
    """
    first, other = folder / FIRST, folder / TORCHVISION
    if (first / ANNOTATIONS).is_file():
        _complete(first, IMAGES, progress)
        return _pool(spec, [(first, first / ANNOTATIONS)], "relative_im_path", progress)
    if other.is_dir():
        for piece in PIECES:
            _complete(other, piece, progress)
        parts = [(other / part, other / mat) for part, mat in PARTS.items()]
        return _pool(spec, parts, "fname", progress)
    raise DataError(
        f"CARS196 is not there, and its host is gone. Looked for {first / ANNOTATIONS} with "
        f"{first / IMAGES.archive} or {first / IMAGES.folder}, and for {other} as torchvision has "
        "it. Put the files of either layout there."
    )


def _complete(root: Path, piece: Piece, progress: Progress) -> None:
    """See to it that a folder is there, from its archive if need be."""
    target, archive = root / piece.folder, root / piece.archive
    if target.is_dir():
        return
    try:
        with locked(root, piece.folder, progress):
            if target.is_dir():  # another run may have been first
                return
            if not archive.is_file():
                raise DataError(f"{archive} is not there, nor {target}. Put one of them there.")
            unpack_folder(archive, target, piece.find, progress)
    except OSError as error:
        raise DataError(f"{target} is not there, nor to be put there: {error}") from error


def _pool(
    spec: Cars196Data, parts: list[tuple[Path, Path]], field: str, progress: Progress
) -> Pool:
    """The images of each folder by its annotations."""
    paths: list[Path] = []
    classes: list[int] = []
    for folder, mat in parts:
        listed: list[Annotation] = annotations(mat, field)
        paths += images(folder, [(one.where, one.image) for one in listed], mat, progress)
        classes += [one.label for one in listed]
    return pool(spec, paths, classes)
