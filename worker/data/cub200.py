"""CUB-200-2011 (Wah et al. 2011): 11,788 photographs of 200 species of birds."""

from pathlib import Path
from typing import Final

from contract.data import Cub200Data
from worker.data.dataset import Pool
from worker.data.fine_grained import pool
from worker.data.published import Published, all_there, complete, number, rows
from worker.errors import DataError
from worker.progress import Progress

SOURCE: Final = Published(
    "CUB-200-2011",
    folder="CUB_200_2011",
    marker="images.txt",
    archive="CUB_200_2011.tgz",
    urls=("https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",),
    md5="97eceeb196236b17998738112f37df78",
)


def load(spec: Cub200Data, folder: Path, progress: Progress, archive: Path | None = None) -> Pool:
    """Images and classes by images.txt and image_class_labels.txt.

    Raises:
        DataError: files are missing and cannot be had, or do not fit together.
        CancelledError: by `progress`.
    """
    root = complete(SOURCE, folder, progress, archive)
    images, classes = root / "images.txt", root / "image_class_labels.txt"
    names = {number(one, images): name for one, name in rows(images, 2)}
    known = {number(one, classes): number(label, classes, 1) for one, label in rows(classes, 2)}
    lacking = sorted(names.keys() ^ known.keys())
    if lacking:
        raise DataError(
            f"{images} and {classes} name different images: {lacking[:5]} and "
            f"{max(0, len(lacking) - 5)} more are in one only"
        )
    order = sorted(names)
    paths = all_there([root / "images" / names[one] for one in order], images)
    return pool(spec, paths, [known[one] for one in order])
