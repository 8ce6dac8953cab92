"""Tiny-ImageNet (Le & Yang 2015): 110,000 images of 64 x 64 pixels, 200 classes of ImageNet."""

from pathlib import Path
from typing import Final

from contract.data import TinyImagenetData
from worker.data.dataset import Pool
from worker.data.fine_grained import pool
from worker.data.published import Published, all_there, complete, rows
from worker.errors import DataError
from worker.progress import Progress

SOURCE: Final = Published(
    "Tiny-ImageNet",
    folder="tiny-imagenet-200",
    marker="wnids.txt",
    archive="tiny-imagenet-200.zip",
    urls=("http://cs231n.stanford.edu/tiny-imagenet-200.zip",),
    md5="90528d7ca1a48142e341f4ef8d21d0de",
)


def load(
    spec: TinyImagenetData, folder: Path, progress: Progress, archive: Path | None = None
) -> Pool:
    """The images of train and val together, classes in the order of wnids.txt; those of the
    official test part have no labels.

    Raises:
        DataError: files are missing and cannot be had, or do not fit together.
        CancelledError: by `progress`.
    """
    root = complete(SOURCE, folder, progress, archive)
    classes = {name: at for at, [name] in enumerate(rows(root / "wnids.txt", 1))}
    paths: list[Path] = []
    labels: list[int] = []
    for name, label in classes.items():
        own = sorted((root / "train" / name / "images").glob("*.JPEG"))
        if not own:
            raise DataError(
                f"{root / 'train' / name / 'images'} holds no .JPEG, but wnids.txt lists its class"
            )
        paths += own
        labels += [label] * len(own)
    annotations = root / "val" / "val_annotations.txt"
    listed = rows(annotations, 3)
    unknown = sorted({name for _, name, _ in listed} - classes.keys())
    if unknown:
        raise DataError(f"{annotations} names classes that wnids.txt does not: {unknown[:5]}")
    paths += all_there([root / "val" / "images" / image for image, _, _ in listed], annotations)
    labels += [classes[name] for _, name, _ in listed]
    return pool(spec, paths, labels)
