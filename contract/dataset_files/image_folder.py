"""A folder of class folders: its images are listed, and each is read, hashed and decoded."""

import contextlib
import hashlib
import os
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from contract.dataset_files.class_names import check_name, printable, warn_of_similar_names
from contract.dataset_files.image_pixels import (
    FORMATS,
    has_transparent_parts,
    size_problem,
    webp_problem,
)
from contract.dataset_files.problems import (
    DEFAULT_LIMITS,
    CheckProgress,
    Findings,
    ImageSet,
    Limits,
    no_progress,
)
from contract.dataset_files.regular_file import kind_of, open_regular
from contract.dataset_files.split_folders import PARTS, are_split_folders

TYPES: Final = "JPEG, PNG, WebP and BMP"

_WIDE_MODES: Final = ("F", "I")
"""PIL's modes with more than eight bits a value, which training would clip to white."""

JUNK: Final = (
    "__macosx",
    "@eadir",
    "desktop.ini",
    "ehthumbs.db",
    "icon\r",
    "thumbs.db",
)
"""Files and folders that operating systems add, in small letters; hidden files are ignored too."""

SIDE_SUFFIXES: Final = (
    *(".txt", ".md", ".rst", ".html", ".pdf", ".bib", ".cff"),
    *(".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml"),
)
SIDE_NAMES: Final = ("readme", "license", "licence", "copying", "notice", "citation", "authors")
"""Endings, and names without one, of files that are passed over above the class folders."""

THREADS: Final = min(8, (os.cpu_count() or 1) + 1)
"""PIL releases the interpreter lock while it decodes; one more thread hides the reading."""

AHEAD: Final = 256
"""Files that are given to the threads before the result of the first is used."""


class ImageCheck(NamedTuple):
    """Result of the check of one file."""

    digest: bytes
    """SHA-256 of the content."""
    problem: str
    """Why it cannot be used; empty if it can."""
    transparent: bool = False
    """Whether parts of it are transparent."""


class Listing(NamedTuple):
    """The images of a folder before they are checked."""

    root: Path
    names: list[str]
    """Names of the class folders, sorted."""
    files: list[tuple[str, int]]
    """For each image its path below the root and the index of its class."""
    split_folders: tuple[str, ...]
    """Names of the folders above the class folders that split the data set, if there are any."""


def scan_images(
    folder: Path, limits: Limits = DEFAULT_LIMITS, progress: CheckProgress = no_progress
) -> ImageSet:
    """Check a folder that holds one folder of images for each class.

    Args:
        folder: the folder; links in it are followed, because they were put there on purpose.
        limits: bounds on single files and on their number.
        progress: called with the number of images checked.

    Raises:
        IntakeError: with every unreadable image, nested folder and the like.
    """
    findings = Findings()
    return check_images(list_images(folder, limits, findings), limits, findings, progress)


def list_images(folder: Path, limits: Limits, findings: Findings) -> Listing:
    """List the class folders in a folder and the images in them.

    Above the class folders there may be folders that split the data set, such as train and test.

    Raises:
        IntakeError: the folder cannot be listed, or holds too many files.
    """
    files: list[tuple[str, int]] = []
    junk: list[str] = []
    side: list[str] = []
    try:
        tops = _class_folders(folder, "", findings, junk, side)
        splits = _split_folders(tops)
        classes = [("", entry) for entry in tops]
        if splits:
            classes = [
                (f"{top.name}/", entry)
                for top in splits
                for entry in _class_folders(Path(top.path), f"{top.name}/", findings, junk, side)
            ]
        names = sorted({entry.name for _, entry in classes})
        labels = {name: label for label, name in enumerate(names)}
        for prefix, entry in classes:
            check_name(prefix + entry.name, entry.name, findings)
            found = list(_class_files(entry, prefix, labels[entry.name], findings, junk))
            if not found:
                findings.add(prefix + entry.name, "holds no image; fill it or remove it")
            files += found
            if len(files) > limits.max_files:
                raise findings.refuse("", f"has more than {limits.max_files:,} images")
    except OSError as error:
        raise findings.refuse(str(folder), f"cannot be listed: {error}") from error
    if junk:
        first = printable(junk[0])
        findings.warn("", f"passed over {len(junk)} hidden or system files, as {first}")
    warn_of_side_files(side, findings)
    warn_of_similar_names(names, findings)
    return Listing(folder, names, files, tuple(top.name for top in splits))


def check_images(
    listing: Listing, limits: Limits, findings: Findings, progress: CheckProgress
) -> ImageSet:
    """Decode every file, find identical ones, and count the items of each class.

    Raises:
        IntakeError: with every problem found so far.
    """
    root, names, files, split_folders = listing
    first: dict[bytes, tuple[str, int]] = {}
    kept: list[tuple[str, int]] = []
    repeated: list[tuple[str, str]] = []
    transparent = 0
    sizes = [0] * len(names)
    with (
        warnings.catch_warnings(),
        contextlib.closing(_checks(root, [path for path, _ in files], limits)) as checks,
    ):
        # PIL warns about big images, for which there are limits here, and about harmless metadata.
        # The filter is set here and not in the threads, which share one list of filters.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for done, ((path, label), checked) in enumerate(zip(files, checks, strict=True), 1):
            sizes[label] += 1
            if checked.problem:
                findings.add(path, checked.problem)
            elif (earlier := first.setdefault(checked.digest, (path, label))) == (path, label):
                kept.append((path, label))
                transparent += checked.transparent
            elif earlier[1] == label:
                repeated.append((path, earlier[0]))
                sizes[label] -= 1
            else:
                findings.add(path, f"is identical with {earlier[0]} of another class; remove one")
            progress(done, len(files))
    if transparent:
        are = "1 image has" if transparent == 1 else f"{transparent:,} images have"
        findings.warn(
            "",
            f"{are} transparent parts; a new comparison lays them on white, unless its data "
            "setting Background says otherwise",
        )
    for path, earlier_path in repeated:
        findings.warn(path, f"is identical with {earlier_path}; only that one is used")
    if len(names) < 2:
        findings.add(
            "", f"has {len(names)} class folders; needs two or more, one folder for each class"
        )
    for name, size in zip(names, sizes, strict=True):
        if size == 1:
            findings.add(name, "has one image only; a class needs two different ones or more")
    findings.raise_if_any()
    return ImageSet(
        root,
        tuple(path for path, _ in kept),
        np.array([label for _, label in kept], dtype=np.int64),
        tuple(names),
        findings.warnings,
        split_folders,
    )


def is_junk(name: str) -> bool:
    """Return whether a name shows that an operating system added the file or folder."""
    return name.startswith(".") or name.lower() in JUNK


def is_side_file(name: str) -> bool:
    """Return whether a file above the class folders says something about the data set, such as a
    README, a licence or a table of metadata."""
    small = name.lower()
    return small.endswith(SIDE_SUFFIXES) or small in SIDE_NAMES


def warn_of_side_files(names: Sequence[str], findings: Findings) -> None:
    """Add a remark on the files above the class folders that are passed over."""
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        findings.warn("", f"passed over {printable(names[0])}{more} above the class folders")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _class_folders(
    folder: Path, prefix: str, findings: Findings, junk: list[str], side: list[str]
) -> list[os.DirEntry[str]]:
    """Return the folders in a folder that holds nothing else; a prefix is before their names."""
    folders = []
    for entry in _entries(folder):
        path = prefix + entry.name
        if is_junk(entry.name):
            junk.append(path)
        elif entry.is_dir():
            folders.append(entry)
        elif is_side_file(entry.name):
            side.append(path)
        else:
            findings.add(
                printable(path), "lies beside the class folders; put it into one or remove it"
            )
    return folders


def _split_folders(tops: Sequence[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    """Return the folders in their order, train first, if they split a data set; none otherwise."""
    if not are_split_folders(top.name for top in tops):
        return []
    for top in tops:
        inside = [entry for entry in _entries(Path(top.path)) if not is_junk(entry.name)]
        # Images in a folder of this name make it a class.
        if not any(entry.is_dir() for entry in inside) or any(
            not entry.is_dir() and not is_side_file(entry.name) for entry in inside
        ):
            return []
    order = list(PARTS)
    return sorted(tops, key=lambda top: order.index(top.name.lower()))


def _class_files(
    folder: os.DirEntry[str], prefix: str, label: int, findings: Findings, junk: list[str]
) -> Iterator[tuple[str, int]]:
    for entry in _entries(Path(folder.path)):
        path = f"{prefix}{folder.name}/{entry.name}"
        if is_junk(entry.name):
            junk.append(path)
        elif entry.is_dir():
            findings.add(path, "is a folder in a class folder; classes are one level of folders")
        elif not entry.is_file():
            findings.add(path, f"is {kind_of(Path(entry.path))}, no regular file; remove it")
        else:
            check_name(path, entry.name, findings)
            yield path, label


def _checks(root: Path, paths: list[str], limits: Limits) -> Generator[ImageCheck]:
    """Yield the check of each file in order; threads check a little ahead of the reader."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        for start in range(0, len(paths), AHEAD):
            part = paths[start : start + AHEAD]
            yield from pool.map(lambda path: check_image(root / path, limits), part)
    finally:
        pool.shutdown(cancel_futures=True)


def check_image(path: Path, limits: Limits) -> ImageCheck:
    """Read a file and decode the whole image in it."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > limits.max_file_bytes:
                return ImageCheck(
                    b"", f"has {size:,} bytes, more than {limits.max_file_bytes:,}; make it smaller"
                )
            content = file.read()
    except OSError as error:
        return ImageCheck(b"", f"cannot be read: {error.strerror or error}")
    digest = hashlib.sha256(content).digest()
    if not content:
        return ImageCheck(digest, "is empty; remove it")
    return ImageCheck(digest, *_decode(content, limits))


def _decode(content: bytes, limits: Limits) -> tuple[str, bool]:
    """Return why an image cannot be used, empty if it can, and whether it has transparent parts."""
    try:
        if problem := _header_problem(content, limits):
            return problem, False
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            # The whole stream of a JPEG is read, but only a small image is made from it.
            image.draft("RGB", (64, 64))
            image.load()
            return "", has_transparent_parts(image)
    except UnidentifiedImageError:
        return f"is not an image that can be read; {TYPES} can", False
    except (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, MemoryError) as error:
        return f"cannot be decoded ({error}); save it again or remove it", False
    except Image.DecompressionBombError:
        return f"has more than {limits.max_pixels:,} pixels; make it smaller", False


def _header_problem(content: bytes, limits: Limits) -> str:
    """Return why an image must not be decoded; empty if it may be. Nothing is decoded here."""
    if problem := webp_problem(BytesIO(content), limits):
        return problem
    with Image.open(BytesIO(content), formats=FORMATS) as image:
        if problem := size_problem(image.width, image.height, limits):
            return problem
        if image.mode.split(";")[0] in _WIDE_MODES:
            return "has more than 8 bits a channel; save it with 8"
        if image.format == "PNG":
            image.verify()  # compares checksums, which the other formats do not have
    return ""
