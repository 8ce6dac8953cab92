"""A team's own images: an uploaded zip of class folders, or a folder of this machine."""

from pathlib import Path

import torch

from contract.comparison.data import ImageFolderData
from contract.dataset_files import ImageSet, scan_images, unpack_images
from contract.dataset_files.problems import Told
from worker.data.dataset import ImageFiles, Pool
from worker.data.sources import team_files
from worker.data.sources.image_check_cache import remembered
from worker.data.sources.locks import locked
from worker.data.sources.team_files import file_of, refusals, split
from worker.reporting.progress import Progress


def load(spec: ImageFolderData, folder: Path, progress: Progress) -> Pool:
    """Find the images and check each of them, the first time; they are decoded by those who use
    them.

    Raises:
        DataError: they cannot be had or used; the first problems are named.
        CancelledError: by `progress`.
    """
    images = _uploaded(spec, folder, progress) if spec.dataset else _found(spec, folder, progress)
    return Pool(
        items=ImageFiles(tuple(images.root / file for file in images.files)),
        labels=torch.from_numpy(images.labels),
        indices=split(spec, images.labels),
        class_disjoint=spec.split == "class",
        class_names=images.class_names,
    )


def _found(spec: ImageFolderData, folder: Path, progress: Progress) -> ImageSet:
    root = file_of(spec, folder, progress)
    with refusals(f"the images in {root}"):
        return remembered(root, folder, lambda: scan_images(root, told=_telling(progress)))


def _uploaded(spec: ImageFolderData, folder: Path, progress: Progress) -> ImageSet:
    """Unpacked once; the archive goes when its images are there."""
    own = team_files.folder_of(spec.dataset, folder)
    root = own / "images"
    with refusals(f"the uploaded images {spec.dataset}"), locked(own, "images", progress):
        if root.is_dir():
            return remembered(root, folder, lambda: scan_images(root, told=_telling(progress)))
        archive = team_files.content(spec.dataset, folder, progress)
        images = unpack_images(archive, root, told=_telling(progress))
        archive.unlink()
        return remembered(root, folder, lambda: images)


def _telling(progress: Progress) -> Told:
    return lambda done, total: progress("checking images", done, total, "images")
