"""Tiny-ImageNet (Le & Yang 2015): 110,000 images of 64 x 64 pixels, 200 classes of ImageNet."""

import re
from pathlib import Path
from typing import Final

from contract.comparison.data import TinyImagenetData
from worker.data.dataset import Pool
from worker.data.formats.image_lists import first_few, listed_images, read_rows
from worker.data.loaders.fine_grained import fine_grained_pool
from worker.data.sources.published_archives import PublishedArchive, ensure_unpacked
from worker.errors import DataError
from worker.reporting.progress import Progress

SOURCE: Final = PublishedArchive(
    "Tiny-ImageNet",
    folder="tiny-imagenet-200",
    marker="wnids.txt",
    archive="tiny-imagenet-200.zip",
    urls=("http://cs231n.stanford.edu/tiny-imagenet-200.zip",),
    md5="90528d7ca1a48142e341f4ef8d21d0de",
)
WNID: Final = re.compile(r"n[0-9]{8}")
"""The id of a class of ImageNet: its number in WordNet."""


def load(
    spec: TinyImagenetData, folder: Path, progress: Progress, *, resplit: bool = False
) -> Pool:
    """Load the images of train and val together, with classes in the order of wnids.txt.

    The images of the official test part have no labels and are not used.

    Raises:
        DataError: files are missing and cannot be downloaded, or do not match each other.
        CancelledError: raised by `progress`.
    """
    root = ensure_unpacked(SOURCE, folder, progress)
    classes = _classes(root / "wnids.txt")
    paths: list[Path] = []
    labels: list[int] = []
    for name, label in classes.items():
        progress("looking for the images of train", label, len(classes), "classes")
        own = _training(root / "train" / name, name, progress)
        paths += own
        labels += [label] * len(own)
    found, own_labels = _validation(root / "val", classes, progress)
    return fine_grained_pool(spec, paths + found, labels + own_labels, resplit=resplit)


def _classes(path: Path) -> dict[str, int]:
    """Return the label of each class."""
    classes: dict[str, int] = {}
    for row in read_rows(path, 1):
        [name] = row.words
        if not WNID.fullmatch(name):
            raise row.error(f"{name!r} is not a class of ImageNet, as n01443537")
        if name in classes:
            raise row.error(f"{name} is listed twice")
        classes[name] = len(classes)
    return classes


def _training(folder: Path, name: str, progress: Progress) -> list[Path]:
    """Return the images of a class: those in its list of boxes, or without a list all that are
    there."""
    boxes = folder / f"{name}_boxes.txt"
    if boxes.is_file():
        listed = [(row.where, row.words[0]) for row in read_rows(boxes, 2)]
        return listed_images(folder / "images", listed, boxes, progress)
    found = sorted((folder / "images").glob("*.JPEG"))
    if not found:
        raise DataError(
            f"{folder / 'images'} holds no .JPEG, but wnids.txt lists {name}. Remove the whole "
            "folder of the data set to have it unpacked again."
        )
    return found


def _validation(
    folder: Path, classes: dict[str, int], progress: Progress
) -> tuple[list[Path], list[int]]:
    """Return the images of val and their labels."""
    annotations = folder / "val_annotations.txt"
    listed = read_rows(annotations, 3)
    for row in listed:
        if row.words[1] not in classes:
            raise row.error(f"class {row.words[1]} is one that wnids.txt does not list")
    names = [(row.where, row.words[0]) for row in listed]
    paths = listed_images(folder / "images", names, annotations, progress)
    unlabelled = {path.name for path in (folder / "images").glob("*.JPEG")}
    unlabelled -= {path.name for path in paths}
    if unlabelled:
        raise DataError(
            f"{annotations} has no line for {first_few(sorted(unlabelled))} in "
            f"{folder / 'images'}. Put the official file there, or remove the images."
        )
    return paths, [classes[row.words[1]] for row in listed]
