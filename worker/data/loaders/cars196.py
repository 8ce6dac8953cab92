"""CARS196, the Stanford Cars (Krause et al. 2013): 16,185 photographs of 196 models of cars.

Its host is gone, so that its files are placed by hand, in either of two layouts:

- cars196/cars_annos.mat with cars196/car_ims/ or car_ims.tgz beside it, as first published;
- stanford_cars/ as torchvision has it: devkit/cars_train_annos.mat with cars_train/, and
  cars_test_annos_withlabels.mat with cars_test/; car_devkit.tgz, cars_train.tgz and cars_test.tgz
  will do for the folders.

The mat files in which the Stanford Cars' annotations are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.io import loadmat

from contract.comparison.data import Cars196Data
from worker.data.dataset import Pool
from worker.data.formats.image_lists import images
from worker.data.loaders.fine_grained import pool
from worker.data.sources.locks import locked
from worker.data.sources.published_archives import Find, holding, named, unpack_folder
from worker.errors import DataError
from worker.reporting.progress import Progress


@dataclass(frozen=True)
class Annotation:
    """One photograph."""

    where: str
    """Which of the file's annotations it is."""
    image: str
    """Name of its file."""
    label: int
    """Its class's official id, from 1 up."""


def annotations(path: Path, field: str) -> list[Annotation]:
    """The struct array `annotations` of a file, in its order.

    Args:
        path: the mat file; if it has class names, a class without one is an error.
        field: the one in which the image's name stands.

    Raises:
        DataError: it is not the official file, or damaged; names the first annotation that is
            wrong.
    """
    content = _content(path)
    listed = np.atleast_1d(content["annotations"])
    lacking = [name for name in (field, "class") if name not in (listed.dtype.names or ())]
    if lacking:
        raise _wrong(path, f"its annotations have no field {lacking[0]}")
    most = np.size(content["class_names"]) if "class_names" in content else None
    found = []
    for number, (image, label) in enumerate(
        zip(listed[field], listed["class"], strict=True), start=1
    ):
        where = f"annotation {number}"
        if not isinstance(image, str) or not image:
            raise _wrong(path, f"{where}: the image's name is {image!r}, no text")
        if not isinstance(label, int | np.integer) or label < 1:
            raise _wrong(path, f"{where}: the class is {label!r}, no whole number from 1 up")
        if most is not None and label > most:
            raise _wrong(path, f"{where}: there is no class {label}, only {most} have names")
        found.append(Annotation(where, image, int(label)))
    if not found:
        raise _wrong(path, "it annotates nothing")
    return found


def _content(path: Path) -> dict[str, Any]:
    """What scipy reads in a file; it tells of damage by whatever its parser runs into."""
    try:
        content: dict[str, Any] = loadmat(path, squeeze_me=True)
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there. Put it there.") from error
    except Exception as error:
        raise _wrong(path, f"no mat file can be read: {error!r}") from error
    if not isinstance(content.get("annotations"), np.ndarray):
        raise _wrong(path, "it holds no annotations")
    return content


def _wrong(path: Path, seen: str) -> DataError:
    return DataError(
        f"{path} cannot be read as the official annotations: {seen}. Put the official file there."
    )


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
