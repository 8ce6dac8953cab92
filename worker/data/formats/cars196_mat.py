"""The mat files in which the Stanford Cars' annotations are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from worker.errors import DataError


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
