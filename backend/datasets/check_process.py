"""The checking process: `python -m backend.datasets.check_process KIND FOLDER`.

Decoders of images and tables are large C programs that get bytes from strangers. Here a bomb or a
crash ends a process that holds no secret and serves nobody. Prints a `Report` as JSON.

Small pictures of a data set's images, for the pages.
"""

import argparse
import os
import shutil
import sys
import threading
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from backend.datasets.repository import CONTENT, DISK_FULL, THUMBNAILS
from backend.datasets.schemas import KINDS, Facts, Note, Report, Thumbnail
from backend.storage.data_folder import DISK_FULL_ERRORS
from contract.dataset_files import (
    FeatureTable,
    ImageSet,
    IntakeError,
    Limits,
    RowProblem,
    read_features,
    read_paired,
    unpack_images,
)
from contract.dataset_files.image_folder import FORMATS

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


try:
    import resource
except ImportError:  # not on Windows, where the limit of time has to do
    resource = None  # type: ignore[assignment]


def main() -> None:
    """Check FOLDER/content within the limits and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m backend.datasets.check_process")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--memory", type=int, required=True, help="bytes of address space")
    parser.add_argument("--cpu", type=int, required=True, help="seconds of CPU time")
    asked = parser.parse_args()
    _bound(asked.memory, asked.cpu)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sys.stdout.write(_report(asked.kind, asked.folder, asked.memory).model_dump_json())
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in DISK_FULL_ERRORS:
            raise
        os._exit(DISK_FULL)  # a proper exit would try to write once more


def _bound(memory: int, cpu: int) -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))  # at the first it is told
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_parent() -> None:
    """The API holds the other end of our input and never writes; it closes when the API dies."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _report(kind: str, folder: Path, memory: int) -> Report:
    try:
        return Report(facts=_facts(kind, folder, memory))
    except IntakeError as error:
        return Report(problems=_notes(error.problems), total=error.total)
    except MemoryError:
        message = f"needs more than the {memory:,} bytes of memory that a check may use"
        return Report(problems=[Note(where="", message=message)], total=1)


def _facts(kind: str, folder: Path, memory: int) -> Facts:
    content = folder / CONTENT
    if kind == "image_folder":
        into = folder / "unpacked"
        facts = _images(unpack_images(content, into), folder / THUMBNAILS)
        shutil.rmtree(into)
        return facts
    read = read_features if kind == "features" else read_paired
    # A third: a table is held as it was read and as it is handed on, for a while at once.
    return _table(read(content, Limits(max_bytes=min(Limits().max_bytes, memory // 3))))


def _images(images: ImageSet, thumbnails: Path) -> Facts:
    counts = _counts(images)
    sizes = [_size(images.root / file) for file in images.files]
    widths, heights = zip(*sizes, strict=True)
    return Facts(
        items=len(images.files),
        class_names=list(images.class_names),
        counts=counts,
        has_fine=False,
        shape={
            "min_width": min(widths),
            "max_width": max(widths),
            "min_height": min(heights),
            "max_height": max(heights),
        },
        warnings=_notes(images.warnings),
        thumbnails=write_thumbnails(images, counts, thumbnails),
    )


def _table(table: FeatureTable) -> Facts:
    columns = table.features.shape[1]
    shape = {"features": columns}
    if table.visual is not None:
        shape = {"audio": columns, "visual": table.visual.shape[1]}
    return Facts(
        items=len(table),
        class_names=list(table.class_names),
        counts=_counts(table),
        has_fine=table.fine is not None,
        shape=shape,
        warnings=_notes(table.warnings),
        thumbnails=[],
    )


def _counts(found: ImageSet | FeatureTable) -> list[int]:
    counts: list[int] = np.bincount(found.labels, minlength=len(found.class_names)).tolist()
    return counts


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=FORMATS) as image:
        return image.size


def _notes(problems: Sequence[RowProblem]) -> list[Note]:
    return [Note(where=problem.where, message=problem.message) for problem in problems]


if __name__ == "__main__":
    main()
