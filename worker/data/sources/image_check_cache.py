"""Remembers that a folder of images was checked, so that every further run starts at once."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from contract.dataset_files import ImageSet, RowProblem


def remembered(root: Path, folder: Path, check: Callable[[], ImageSet]) -> ImageSet:
    """The checked images of a folder, from the last check if no file has changed since.

    Args:
        root: the images' folder.
        folder: of all data sets; notes of checks lie in its `checked`.
        check: looks at every image.

    Raises:
        OSError: the folder cannot be listed, or the note not be written.
    """
    stamp = _stamp(root)
    note = folder / "checked" / f"{hashlib.sha256(os.fsencode(root.absolute())).hexdigest()}.json"
    if known := _read(note, root, stamp):
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
            }
        )
    )
    partial.replace(note)
    return images


def _read(note: Path, root: Path, stamp: str) -> ImageSet | None:
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
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no note, or not one of ours: the images are checked again


def _stamp(root: Path) -> str:
    """Changes when a file is added, removed, renamed or written."""
    digest = hashlib.sha256(b"1")  # counts up when the check itself changes
    for line in sorted(_lines(root)):
        digest.update(os.fsencode(f"{line}\n"))
    return digest.hexdigest()


def _lines(root: Path) -> Iterator[str]:
    """Every entry of the folder and of the folders in it, with size and time."""
    with os.scandir(root) as tops:
        for top in tops:
            if top.is_dir():
                with os.scandir(top.path) as entries:
                    yield from (_line(top.name, entry) for entry in entries)
            yield _line("", top)


def _line(parent: str, entry: os.DirEntry[str]) -> str:
    try:
        facts = entry.stat()
    except OSError:
        return f"{parent}/{entry.name}"  # a link to nowhere; the check says so
    return f"{parent}/{entry.name} {facts.st_size} {facts.st_mtime_ns}"
