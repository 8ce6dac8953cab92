"""The process that checks an upload: `python -m backend.datasets.check_process KIND FOLDER`.

The folder holds the uploaded file, and the answers to questions about it. Prints a `Report` as
JSON, and writes thumbnails of images for the pages. Decoders of images and tables are large C
libraries that here read untrusted bytes. A decompression bomb or a crash ends only this process,
which has no secrets and serves no requests.
"""

import argparse
import os
import shutil
import sys
import threading
import zipfile
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from backend.datasets.check_report import (
    ANSWERS,
    CONTENT,
    DISK_FULL_EXIT,
    KINDS,
    TEXT_CHARACTERS,
    THUMBNAILS,
    Facts,
    Note,
    Report,
    TextExample,
    Thumbnail,
)
from backend.storage.disk_space import DISK_FULL_ERRORS
from contract.dataset_files import (
    Answers,
    FeatureTable,
    ImageSet,
    IntakeError,
    Limits,
    RowProblem,
    TextTable,
    UnansweredError,
    read_features,
    read_paired,
    read_texts,
    unpack_images,
)
from contract.dataset_files.formats import refuse_no_images
from contract.dataset_files.image_pixels import FORMATS, upright_rgb, upright_size
from contract.dataset_files.split_folders import parts_of
from contract.names import SHAPES

try:
    import resource
except ImportError:  # on Windows, where only the time limit applies
    resource = None  # type: ignore[assignment]

THUMBNAIL_SIDE: Final = 96
"""Pixels of a thumbnail's longer side."""
MAX_THUMBNAILS: Final = 200
MAX_TEXTS: Final = 30
"""Texts that are shown of a data set."""
TUPLE_FACTS: Final = "backend.datasets.tuple_facts"
"""Imported for tables of tuples alone: what finds their groups takes half as long to import as all
else here."""
THUMBNAIL_BACKGROUND: Final = "white"
"""What transparent parts are laid on, as in a new comparison."""


def main() -> None:
    """Check FOLDER/content within the limits and print the report."""
    parser = argparse.ArgumentParser(prog="python -m backend.datasets.check_process")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--memory", type=int, required=True, help="bytes of address space")
    parser.add_argument("--cpu", type=int, required=True, help="seconds of CPU time")
    asked = parser.parse_args()
    _limit_resources(asked.memory, asked.cpu)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sys.stdout.write(_report(asked.kind, asked.folder, asked.memory).model_dump_json())
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in DISK_FULL_ERRORS:
            raise
        os._exit(DISK_FULL_EXIT)  # a normal exit would try to write once more


def _limit_resources(memory: int, cpu: int) -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))  # SIGXCPU at the first
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_parent() -> None:
    """End this process when the API does.

    The API holds the other end of our input and never writes; it closes when the API dies.
    """
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _report(kind: str, folder: Path, memory: int) -> Report:
    try:
        return Report(facts=_facts(kind, folder, memory))
    except UnansweredError as error:
        return Report(questions=error.questions)
    except IntakeError as error:
        return Report(problems=_notes(error.problems), total=error.total)
    except MemoryError:
        message = f"needs more than the {memory:,} bytes of memory that a check may use"
        return Report(problems=[Note(where="", message=message)], total=1)


def _facts(kind: str, folder: Path, memory: int) -> Facts:
    content = folder / CONTENT
    answers = Answers.model_validate_json((folder / ANSWERS).read_bytes())
    if kind == "image_folder":
        refuse_no_images(content)
        into = folder / "unpacked"
        images = unpack_images(content, into, answers=answers, ask=True)
        facts = _images(images, folder / THUMBNAILS, keep=answers.split == "keep")
        shutil.rmtree(into)
        return facts
    # A third, as a table is for a while in memory both as it was read and as it is returned.
    limits = Limits(max_bytes=min(Limits().max_bytes, memory // 3))
    if kind == "text":
        return _texts(read_texts(content, limits, answers, ask=True))
    if kind in SHAPES:
        found: Facts = import_module(TUPLE_FACTS).facts_of(content, kind, limits, answers)
        return found
    if kind == "features":
        return _table(read_features(content, limits, answers, ask=True))
    return _table(read_paired(content, limits, answers, ask=True))


def _images(images: ImageSet, thumbnails: Path, *, keep: bool) -> Facts:
    counts = _counts(images)
    sizes = [_image_size(images.root / file) for file in images.files]
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
        parts=_part_counts(images, parts_of(images.files)) if keep and images.split_folders else {},
    )


def _part_counts(found: ImageSet | TextTable, of_items: Sequence[str]) -> dict[str, list[int]]:
    """Return the items of each class in each part of the data set's own split."""
    parts = np.array(of_items)
    return {
        str(part): np.bincount(
            found.labels[parts == part], minlength=len(found.class_names)
        ).tolist()
        for part in dict.fromkeys(parts.tolist())
    }


def _texts(table: TextTable) -> Facts:
    counts = _counts(table)
    characters = np.array([len(text) for text in table.texts])
    members: list[list[str]] = [[] for _ in counts]
    for text, label in zip(table.texts, table.labels.tolist(), strict=True):
        members[label].append(text)
    return Facts(
        items=len(table),
        class_names=list(table.class_names),
        counts=counts,
        has_fine=table.fine is not None,
        shape={
            "shortest": int(characters.min()),
            "median": int(np.median(characters)),
            "longest": int(characters.max()),
        },
        warnings=_notes(table.warnings),
        thumbnails=[],
        parts={} if table.parts is None else _part_counts(table, table.parts),
        texts=[
            TextExample(
                class_name=table.class_names[label], text=members[label][item][:TEXT_CHARACTERS]
            )
            for label, item in choose_items(counts, MAX_TEXTS)
        ],
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
        has_ids=table.ids is not None,
    )


def _counts(found: ImageSet | FeatureTable | TextTable) -> list[int]:
    counts: list[int] = np.bincount(found.labels, minlength=len(found.class_names)).tolist()
    return counts


def _image_size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=FORMATS) as image:
        return upright_size(image)


def _notes(problems: Sequence[RowProblem]) -> list[Note]:
    return [Note(where=problem.where, message=problem.message) for problem in problems]


def choose_items(counts: Sequence[int], limit: int = MAX_THUMBNAILS) -> list[tuple[int, int]]:
    """Return which items to show, class by class, as (class, index of the item in its class).

    All classes get equally many, evenly spaced items; if there are more classes than `limit`,
    evenly spaced classes get one item each.
    """
    classes = _evenly_spaced(len(counts), limit)
    share = limit // max(1, len(classes))
    return [(label, item) for label in classes for item in _evenly_spaced(counts[label], share)]


def write_thumbnails(images: ImageSet, counts: Sequence[int], target: Path) -> list[Thumbnail]:
    """Write the zip archive of thumbnails, named 0, 1, 2, ...

    Raises:
        OSError: it cannot be written.
    """
    members: list[list[str]] = [[] for _ in counts]
    for file, label in zip(images.files, images.labels.tolist(), strict=True):
        members[label].append(file)
    written: list[Thumbnail] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for label, item in choose_items(counts):
            file = members[label][item]
            small = _thumbnail(images.root / file)
            if small:
                archive.writestr(str(len(written)), small)
                written.append(Thumbnail(class_name=images.class_names[label], file=file))
    return written


def _evenly_spaced(total: int, limit: int) -> list[int]:
    """Return at most `limit` of the numbers 0 to total - 1, evenly spaced."""
    number = min(total, limit)
    return [place * total // number for place in range(number)]


def _thumbnail(path: Path) -> bytes:
    """Return a JPEG without the camera's metadata; empty if the image cannot be decoded."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.draft("RGB", (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))
            small = upright_rgb(image, THUMBNAIL_BACKGROUND)
        small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    except (OSError, SyntaxError, ValueError, ArithmeticError):
        return b""  # the data set is valid all the same, and a page can do without this thumbnail
    out = BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()


if __name__ == "__main__":
    main()
