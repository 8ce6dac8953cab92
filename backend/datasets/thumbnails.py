"""Small pictures of a data set's images, for the pages."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from backend.datasets.check_result import Thumbnail
from contract.dataset_files import ImageSet
from contract.dataset_files.image_file import FORMATS

SIDE: Final = 96
"""Pixels of the longer side."""
MOST: Final = 200


def chosen(counts: Sequence[int], most: int = MOST) -> list[tuple[int, int]]:
    """Which items to show: (class, its how-manieth item), class by class.

    Every class gets its share, its items evenly spaced; with more classes than places, evenly
    spaced classes get one each.
    """
    classes = _spaced(len(counts), most)
    share = most // max(1, len(classes))
    return [(label, item) for label in classes for item in _spaced(counts[label], share)]


def write_thumbnails(images: ImageSet, counts: Sequence[int], target: Path) -> list[Thumbnail]:
    """Make the zip of thumbnails, named 0, 1, 2, ...

    Raises:
        OSError: it cannot be written.
    """
    members: list[list[str]] = [[] for _ in counts]
    for file, label in zip(images.files, images.labels.tolist(), strict=True):
        members[label].append(file)
    made: list[Thumbnail] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for label, item in chosen(counts):
            file = members[label][item]
            small = _thumbnail(images.root / file)
            if small:
                archive.writestr(str(len(made)), small)
                made.append(Thumbnail(class_name=images.class_names[label], file=file))
    return made


def _spaced(among: int, most: int) -> list[int]:
    """At most so many places of 0, 1, ..., evenly spaced."""
    number = min(among, most)
    return [place * among // number for place in range(number)]


def _thumbnail(path: Path) -> bytes:
    """A JPEG, without what cameras write into theirs; empty if the image cannot be shown."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            small = image.convert("RGB")
        small.thumbnail((SIDE, SIDE))
    except (OSError, SyntaxError, ValueError, ArithmeticError):
        return b""  # the intake takes it, and a page can do without its picture
    out = BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()
