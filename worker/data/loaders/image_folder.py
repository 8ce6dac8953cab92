"""A team's own images: an uploaded zip of class folders, or a folder of this machine.

The result of checking the images is cached, so that every later run starts at once.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from contract.comparison.data import ImageFolderData
from contract.dataset_files import ImageSet, RowProblem, scan_images, unpack_images
from contract.dataset_files.problems import CheckProgress
from contract.dataset_files.regular_file import kind_of
from contract.dataset_files.split_folders import parts_of
from worker.data.dataset import ImageFiles, Pool
from worker.data.sources import team_files
from worker.data.sources.data_roots import allowed_path
from worker.data.sources.locks import locked
from worker.data.sources.team_files import find_file, raising_data_errors, split_labels
from worker.data.splits import Indices, given_split
from worker.errors import DataError
from worker.reporting.progress import Progress


def load(spec: ImageFolderData, folder: Path, progress: Progress, *, resplit: bool = False) -> Pool:
    """Find the images and, the first time, check each of them; they are decoded later.

    Raises:
        DataError: they cannot be fetched or used; the first problems are named.
        CancelledError: raised by `progress`.
    """
    images = _uploaded(spec, folder, progress) if spec.dataset else _local(spec, folder, progress)
    return Pool(
        items=ImageFiles(tuple(images.root / file for file in images.files), spec.background),
        labels=torch.from_numpy(images.labels),
        indices=_indices(spec, images, resplit=resplit),
        class_disjoint=_is_class_disjoint(spec, images),
        class_names=images.class_names,
    )


def _indices(spec: ImageFolderData, images: ImageSet, *, resplit: bool) -> Indices:
    """Split the images as the spec says.

    Raises:
        DataError: they cannot be split so, or the spec does not say what folders such as train and
            test above the class folders mean.
    """
    place = f"the uploaded data set {spec.dataset}" if spec.dataset else spec.path
    if spec.split == "given":
        if not images.split_folders:
            raise DataError(
                f"{place} has no folders such as train and test above its class folders; set "
                "data.split to 'class' or 'item'"
            )
        return given_split(np.array(parts_of(images.files)), images.labels, seed=spec.seed)
    if images.split_folders and not spec.dataset and not spec.merge:
        raise DataError(
            f"{place} has the folders {', '.join(images.split_folders)} above its class folders: "
            "set data.split to 'given' to keep them as the split, or data.merge to true to put "
            "them together"
        )
    return split_labels(spec, images.labels, resplit=resplit)


def _is_class_disjoint(spec: ImageFolderData, images: ImageSet) -> bool:
    if spec.split != "given":
        return spec.split == "class"
    parts = np.array(parts_of(images.files))
    return not set(images.labels[parts == "test"]) & set(images.labels[parts == "train"])


def _local(spec: ImageFolderData, folder: Path, progress: Progress) -> ImageSet:
    root = find_file(spec, folder, progress)
    if root.exists() and not root.is_dir():
        raise DataError(f"{root} is {kind_of(root)}; name a folder of class folders")
    with raising_data_errors(f"the images in {root}"):
        images = _cached_check(
            root, folder, lambda: scan_images(root, progress=_report_to(progress))
        )
    for file in images.files:  # a link in the folder may lead elsewhere
        allowed_path(str(root / file), "data.folder")
    return images


def _uploaded(spec: ImageFolderData, folder: Path, progress: Progress) -> ImageSet:
    """Unpack an upload once; its archive is deleted when the images are there."""
    own = team_files.upload_folder(spec.dataset, folder)
    root = own / "images"
    with (
        raising_data_errors(f"the uploaded images {spec.dataset}"),
        locked(own, "images", progress),
    ):
        if root.is_dir():
            return _cached_check(
                root, folder, lambda: scan_images(root, progress=_report_to(progress))
            )
        archive = team_files.fetch_upload(spec.dataset, folder, progress)
        images = unpack_images(archive, root, progress=_report_to(progress))
        archive.unlink()
        return _cached_check(root, folder, lambda: images)


def _report_to(progress: Progress) -> CheckProgress:
    return lambda done, total: progress("checking images", done, total, "images")


def _cached_check(root: Path, folder: Path, check: Callable[[], ImageSet]) -> ImageSet:
    """Return the checked images of a folder, from the last check if no file has changed since.

    Args:
        root: the folder of the images.
        folder: the folder of all data sets; results of checks are kept in its `checked`.
        check: checks every image.

    Raises:
        OSError: the folder cannot be listed, or the result cannot be written.
    """
    stamp = _folder_digest(root)
    note = folder / "checked" / f"{hashlib.sha256(os.fsencode(root.absolute())).hexdigest()}.json"
    if known := _read_result(note, root, stamp):
        return known
    images = check()
    note.parent.mkdir(parents=True, exist_ok=True)
    partial = note.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(
        json.dumps(
            {
                "stamp": stamp,
                "folder": str(root),
                "files": images.files,
                "labels": images.labels.tolist(),
                "class_names": images.class_names,
                "warnings": [[one.where, one.message] for one in images.warnings],
                "split_folders": images.split_folders,
            }
        )
    )
    partial.replace(note)
    return images


def _read_result(note: Path, root: Path, stamp: str) -> ImageSet | None:
    try:
        held = json.loads(note.read_text())
        if held["stamp"] != stamp:
            return None
        return ImageSet(
            root,
            tuple(held["files"]),
            np.array(held["labels"], dtype=np.int64),
            tuple(held["class_names"]),
            tuple(RowProblem(*one) for one in held["warnings"]),
            tuple(held["split_folders"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no result, or one that cannot be read: the images are checked again


def _folder_digest(root: Path) -> str:
    """Return a digest that changes when a file is added, removed, renamed or written."""
    digest = hashlib.sha256(b"2")  # a version, to be increased when the check itself changes
    for line in sorted(_entry_lines(root)):
        digest.update(os.fsencode(f"{line}\n"))
    return digest.hexdigest()


def _entry_lines(root: Path) -> Iterator[str]:
    """Yield every entry of the folder and of two levels of folders in it, with size and time."""
    with os.scandir(root) as tops:
        for top in tops:
            if top.is_dir():
                with os.scandir(top.path) as entries:
                    for entry in entries:
                        if entry.is_dir():  # a class folder in a folder such as train
                            with os.scandir(entry.path) as files:
                                place = f"{top.name}/{entry.name}"
                                yield from (_entry_line(place, file) for file in files)
                        yield _entry_line(top.name, entry)
            yield _entry_line("", top)


def _entry_line(parent: str, entry: os.DirEntry[str]) -> str:
    try:
        facts = entry.stat()
    except OSError:
        return f"{parent}/{entry.name}"  # a broken link, which the check reports
    return f"{parent}/{entry.name} {facts.st_size} {facts.st_mtime_ns}"
