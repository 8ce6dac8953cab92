"""CUB-200-2011 (Wah et al. 2011): 11,788 photographs of 200 species of birds."""

from pathlib import Path
from typing import Final

from contract.comparison.data import Cub200Data
from worker.data.dataset import Pool
from worker.data.formats.image_lists import first_few, listed_images, read_rows_by_number
from worker.data.loaders.fine_grained import fine_grained_pool
from worker.data.sources.published_archives import PublishedArchive, ensure_unpacked
from worker.reporting.progress import Progress

SOURCE: Final = PublishedArchive(
    "CUB-200-2011",
    folder="CUB_200_2011",
    marker="images.txt",
    archive="CUB_200_2011.tgz",
    urls=("https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",),
    md5="97eceeb196236b17998738112f37df78",
)


def load(spec: Cub200Data, folder: Path, progress: Progress, *, resplit: bool = False) -> Pool:
    """Load the images of images.txt by their numbers, with the classes of image_class_labels.txt in
    the order of classes.txt.

    Raises:
        DataError: files are missing and cannot be downloaded, or do not match each other.
        CancelledError: raised by `progress`.
    """
    root = ensure_unpacked(SOURCE, folder, progress)
    listed = read_rows_by_number(root / "images.txt", 2)
    labels = read_rows_by_number(root / "image_class_labels.txt", 2)
    classes = read_rows_by_number(root / "classes.txt", 2)
    lacking = sorted(listed.keys() - labels.keys())
    if lacking:
        raise listed[lacking[0]].error(
            f"the image has no class in image_class_labels.txt; so have images {first_few(lacking)}"
        )
    for number, row in labels.items():
        if number not in listed:
            raise row.error(f"there is no image {number} in images.txt")
        if row.whole(1, 1) not in classes:
            raise row.error(f"there is no class {row.words[1]} in classes.txt")
    order = sorted(listed)
    names = [(listed[one].where, listed[one].words[1]) for one in order]
    paths = listed_images(root / "images", names, root / "images.txt", progress)
    numbers = [labels[one].whole(1) for one in order]
    return fine_grained_pool(spec, paths, numbers, resplit=resplit)
