"""CARS196, the Stanford Cars (Krause et al. 2013): 16,185 photographs of 196 models of cars.

Its host is gone, so its files have to be put there by hand, in one of two layouts:

- cars196/ as first published: cars_annos.mat with car_ims/ or car_ims.tgz;
- stanford_cars/ as torchvision has it: devkit/cars_train_annos.mat with cars_train/, and
  cars_test_annos_withlabels.mat with cars_test/; the archives car_devkit.tgz, cars_train.tgz and
  cars_test.tgz may take the place of the folders.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.io import loadmat

from contract.comparison.data import Cars196Data
from worker.data.dataset import Pool
from worker.data.formats.image_lists import listed_images
from worker.data.loaders.fine_grained import fine_grained_pool
from worker.data.sources.locks import locked
from worker.data.sources.published_archives import (
    FindFolders,
    folders_named,
    folders_with_file,
    unpack_folder,
)
from worker.errors import DataError
from worker.reporting.progress import Progress


@dataclass(frozen=True)
class Annotation:
    """The annotation of one photograph."""

    where: str
    """Its place in the file, for messages."""
    image: str
    """Name of the photograph's file."""
    label: int
    """Official id of its class, from 1 up."""


@dataclass(frozen=True)
class Piece:
    """A folder, and the archive that holds it."""

    folder: str
    archive: str
    find: FindFolders


FIRST_LAYOUT: Final = "cars196"

ANNOTATIONS: Final = "cars_annos.mat"

IMAGES: Final = Piece("car_ims", "car_ims.tgz", folders_named("car_ims"))

TORCHVISION_LAYOUT: Final = "stanford_cars"

PARTS: Final = {
    "cars_train": "devkit/cars_train_annos.mat",
    "cars_test": "cars_test_annos_withlabels.mat",
}
"""Folder of images -> the file of their annotations."""

PIECES: Final = (
    Piece("devkit", "car_devkit.tgz", folders_with_file("cars_train_annos.mat")),
    *(Piece(part, f"{part}.tgz", folders_named(part)) for part in PARTS),
)


def load(spec: Cars196Data, folder: Path, progress: Progress, *, resplit: bool = False) -> Pool:
    """Load images and classes as the official annotations list them.

    Raises:
        DataError: files are missing or do not match each other.
        CancelledError: raised by `progress`.
    """
    first, other = folder / FIRST_LAYOUT, folder / TORCHVISION_LAYOUT
    if (first / ANNOTATIONS).is_file():
        _ensure_folder(first, IMAGES, progress)
        return _pool(
            spec, [(first, first / ANNOTATIONS)], "relative_im_path", progress, resplit=resplit
        )
    if other.is_dir():
        for piece in PIECES:
            _ensure_folder(other, piece, progress)
        parts = [(other / part, other / mat) for part, mat in PARTS.items()]
        return _pool(spec, parts, "fname", progress, resplit=resplit)
    raise DataError(
        f"CARS196 is not there, and its host is gone. Looked for {first / ANNOTATIONS} with "
        f"{first / IMAGES.archive} or {first / IMAGES.folder}, and for {other} as torchvision has "
        "it. Put the files of either layout there."
    )


def _ensure_folder(root: Path, piece: Piece, progress: Progress) -> None:
    """Unpack the archive of a folder unless the folder is there."""
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
    spec: Cars196Data,
    parts: list[tuple[Path, Path]],
    field: str,
    progress: Progress,
    *,
    resplit: bool,
) -> Pool:
    """Build the pool of the images of each folder and its annotations."""
    paths: list[Path] = []
    classes: list[int] = []
    for folder, mat in parts:
        listed: list[Annotation] = read_annotations(mat, field)
        paths += listed_images(folder, [(one.where, one.image) for one in listed], mat, progress)
        classes += [one.label for one in listed]
    return fine_grained_pool(spec, paths, classes, resplit=resplit)


def read_annotations(path: Path, field: str) -> list[Annotation]:
    """Read the struct array `annotations` of a mat file, in its order.

    Args:
        path: the mat file; if it has class names, a class without a name is an error.
        field: the field that holds the image's name.

    Raises:
        DataError: it is not the official file, or damaged; names the first wrong annotation.
    """
    content = _content(path)
    listed = np.atleast_1d(content["annotations"])
    lacking = [name for name in (field, "class") if name not in (listed.dtype.names or ())]
    if lacking:
        raise _wrong_file_error(path, f"its annotations have no field {lacking[0]}")
    most = np.size(content["class_names"]) if "class_names" in content else None
    found = []
    for number, (image, label) in enumerate(
        zip(listed[field], listed["class"], strict=True), start=1
    ):
        where = f"annotation {number}"
        if not isinstance(image, str) or not image:
            raise _wrong_file_error(path, f"{where}: the image's name is {image!r}, no text")
        if not isinstance(label, int | np.integer) or label < 1:
            raise _wrong_file_error(
                path, f"{where}: the class is {label!r}, no whole number from 1 up"
            )
        if most is not None and label > most:
            raise _wrong_file_error(
                path, f"{where}: there is no class {label}, only {most} have names"
            )
        found.append(Annotation(where, image, int(label)))
    if not found:
        raise _wrong_file_error(path, "it annotates nothing")
    return found


def _content(path: Path) -> dict[str, Any]:
    """Read a file with scipy, whose parser raises many kinds of error at a damaged one."""
    try:
        content: dict[str, Any] = loadmat(path, squeeze_me=True)
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there. Put it there.") from error
    except Exception as error:
        raise _wrong_file_error(path, f"no mat file can be read: {error!r}") from error
    if not isinstance(content.get("annotations"), np.ndarray):
        raise _wrong_file_error(path, "it holds no annotations")
    return content


def _wrong_file_error(path: Path, seen: str) -> DataError:
    return DataError(
        f"{path} cannot be read as the official annotations: {seen}. Put the official file there."
    )
