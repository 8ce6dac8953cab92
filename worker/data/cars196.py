"""CARS196, the Stanford Cars (Krause et al. 2013): 16,185 photographs of 196 models of cars.

Its host is gone, so that its files are placed by hand, in either of two layouts:

- cars196/cars_annos.mat with cars196/car_ims/ or car_ims.tgz beside it, as first published;
- stanford_cars/ as torchvision has it: devkit/cars_train_annos.mat with cars_train/, and
  cars_test_annos_withlabels.mat with cars_test/.
"""

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from contract.data import Cars196Data
from worker.data.dataset import Pool
from worker.data.downloads import locked, unpacked
from worker.data.fine_grained import pool
from worker.data.published import all_there
from worker.errors import DataError
from worker.progress import Progress

FIRST: Final = "cars196"
DEVKIT: Final = "stanford_cars"
ARCHIVE: Final = "car_ims.tgz"
ANNOTATIONS: Final = "cars_annos.mat"
LIMIT: Final = 10 * 10**9
MAT_ERRORS: Final = (MatReadError, OSError, ValueError, TypeError, NotImplementedError, KeyError)
"""What scipy raises at a file that is no mat file, or a damaged one."""


def load(spec: Cars196Data, folder: Path, progress: Progress, archive: Path | None = None) -> Pool:
    """Images and classes by the official annotations.

    Raises:
        DataError: files are missing or do not fit together.
        CancelledError: by `progress`.
    """
    if (folder / DEVKIT / "devkit" / "cars_train_annos.mat").is_file():
        return pool(spec, *_devkit(folder / DEVKIT))
    root = folder / FIRST
    if not (root / ANNOTATIONS).is_file():
        raise DataError(
            f"CARS196 is not there, and its host is gone. Looked for {root / ANNOTATIONS} with "
            f"{root / ARCHIVE} or {root / 'car_ims'}, and for {folder / DEVKIT} as torchvision has "
            "it. Put the files of either layout there."
        )
    _unpack(root, progress, archive)
    listed = _annotations(root / ANNOTATIONS)
    names = [str(name) for name in _column(listed, "relative_im_path", root / ANNOTATIONS)]
    paths = all_there([root / name for name in names], root / ANNOTATIONS)
    return pool(spec, paths, _classes(listed, root / ANNOTATIONS))


def _unpack(root: Path, progress: Progress, archive: Path | None) -> None:
    images = root / "car_ims"
    try:
        with locked(root, "car_ims", progress):
            if images.is_dir():
                return
            used = archive or root / ARCHIVE
            if not used.is_file():
                raise DataError(f"{used} is not there, nor {images}; put one of them there")
            scratch = root / "unpacked"
            shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
            try:
                unpacked(used, scratch, limit=LIMIT, progress=progress)
                if not (scratch / "car_ims").is_dir():
                    raise DataError(f"{used} holds no folder car_ims; it is another archive")
                (scratch / "car_ims").replace(images)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{images} cannot be unpacked: {error}") from error


def _devkit(root: Path) -> tuple[list[Path], list[int]]:
    paths: list[Path] = []
    classes: list[int] = []
    for mat, images in (
        (root / "devkit" / "cars_train_annos.mat", root / "cars_train"),
        (root / "cars_test_annos_withlabels.mat", root / "cars_test"),
    ):
        listed = _annotations(mat)
        paths += all_there([images / str(name) for name in _column(listed, "fname", mat)], mat)
        classes += _classes(listed, mat)
    return paths, classes


def _annotations(path: Path) -> np.ndarray[Any, Any]:
    """The struct array `annotations` [N] of a mat file."""
    try:
        found: np.ndarray[Any, Any] = np.atleast_1d(loadmat(path, squeeze_me=True)["annotations"])
    except MAT_ERRORS as error:
        raise DataError(f"{path} cannot be read as the official annotations: {error!r}") from error
    return found


def _column(listed: np.ndarray[Any, Any], name: str, path: Path) -> list[Any]:
    if name not in (listed.dtype.names or ()):
        raise DataError(f"{path}: its annotations have no field {name}, but {listed.dtype.names}")
    return [one.item() if isinstance(one, np.ndarray) else one for one in listed[name]]


def _classes(listed: np.ndarray[Any, Any], path: Path) -> list[int]:
    classes = _column(listed, "class", path)
    wrong = [
        (row, one) for row, one in enumerate(classes, 1) if not isinstance(one, int | np.integer)
    ]
    if wrong:
        row, seen = wrong[0]
        raise DataError(f"{path}, annotation {row}: the class is {seen!r}, no whole number")
    return [int(one) for one in classes]
