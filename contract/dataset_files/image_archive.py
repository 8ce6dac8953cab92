"""A zip of class folders: its list is checked, then it is unpacked, then every image is checked."""

import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from contract.dataset_files.class_names import printable
from contract.dataset_files.image_folder import (
    check_images,
    is_junk,
    is_side_file,
    list_images,
    warn_of_side_files,
)
from contract.dataset_files.member_names import member_names
from contract.dataset_files.problems import (
    DEFAULT_LIMITS,
    CheckProgress,
    Findings,
    ImageSet,
    Limits,
    no_progress,
)
from contract.dataset_files.questions import NO_ANSWERS, Answers, UnansweredError
from contract.dataset_files.split_folders import split_question
from contract.dataset_files.zip_files import ZIP_ERRORS, open_zip, read_member

_DRIVE: Final = re.compile(r"[A-Za-z]:" if os.name == "nt" else r"[A-Za-z]:(?:/|$)")
"""A drive of Windows at the beginning of a path. Elsewhere `A: shoes` is the name of a class."""

_ENCRYPTED: Final = 0x1

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_LONGEST_NAME: Final = 255
"""Most bytes in one part of a path, the limit of file systems."""

_LONGEST_PATH: Final = 2_000
"""Most bytes in a path; file systems allow 4,096 with the folder that it is unpacked into."""


@dataclass(frozen=True)
class Member:
    """A file in an archive that is safe to unpack."""

    info: zipfile.ZipInfo
    name: str
    """Name in the archive, decoded, with `/` between its parts."""
    parts: tuple[str, ...]
    """Parts of its path below the folder that it is unpacked into."""


def unpack_images(
    archive: Path,
    into: Path,
    limits: Limits = DEFAULT_LIMITS,
    progress: CheckProgress = no_progress,
    answers: Answers = NO_ANSWERS,
    *,
    ask: bool = False,
) -> ImageSet:
    """Unpack a zip that holds one folder of images for each class.

    Args:
        archive: the zip; it is not changed.
        into: the folder that will hold the class folders; must not exist yet. Afterwards it exists
            and is complete, or it does not exist.
        limits: bounds on the number of files, on each of them and on all of them unpacked.
        progress: called with the number of images checked.
        answers: what folders such as train and test above the class folders mean.
        ask: whether to ask that where it is not answered.

    Raises:
        UnansweredError: with that question.
        IntakeError: the archive is damaged or unsafe, or its content is no set of images.
    """
    findings = Findings()
    with _scratch(into) as scratch:
        with open_zip(archive, findings) as opened:
            found = list_members(opened, limits, findings)
            _extract(opened, found, scratch, findings)
        findings.raise_if_any()
        listing = list_images(scratch, limits, findings)
        if listing.split_folders and ask and answers.split is None:
            raise UnansweredError([split_question(listing.split_folders)])
        checked = check_images(listing, limits, findings, progress)
        scratch.replace(into)
    return replace(checked, root=into)


def list_members(opened: zipfile.ZipFile, limits: Limits, findings: Findings) -> list[Member]:
    """Return the files of an archive, without those that operating systems add.

    Raises:
        IntakeError: a name leads out of the archive, an entry is no plain file or is encrypted, or
            there is more than the limits allow.
    """
    found, junk = [], 0
    infos = opened.infolist()
    for info, name in zip(infos, member_names(infos, findings), strict=True):
        if problem := _unsafe_reason(info, name):
            findings.add(printable(name), problem)
            continue
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        is_folder = name.endswith("/")
        if any(is_junk(part) for part in parts):
            junk += not is_folder
        elif parts and not is_folder:
            found.append(Member(info, name, parts))
    if len(found) > limits.max_files:
        findings.add("", f"has {len(found):,} files, more than {limits.max_files:,}; bring fewer")
    declared = sum(member.info.file_size for member in found)
    if declared > limits.max_bytes:
        findings.add(
            "", f"unpacks to {declared:,} bytes, more than {limits.max_bytes:,}; upload less"
        )
    findings.raise_if_any()
    if not found:
        raise findings.refuse("", "holds no files; pack one folder of images for each class")
    if junk:
        findings.warn("", f"passed over {junk} hidden or system files")
    return _without_outer_folders(found, findings)


def _unsafe_reason(info: zipfile.ZipInfo, name: str) -> str:
    """Return why a member of this decoded name must not be unpacked; empty if it may be."""
    parts = name.split("/")
    mode = stat.S_IFMT(info.external_attr >> 16)
    reasons = (
        ("\0" in name, "has a NUL in its name; pack the folder with another program"),
        (
            name.startswith("/") or bool(_DRIVE.match(name)),
            "has an absolute path; pack the folder from where it lies",
        ),
        (".." in parts, "leads out of the archive with '..'; pack the folder from where it lies"),
        (
            any(len(part.encode()) > _LONGEST_NAME for part in parts),
            f"has a name of more than {_LONGEST_NAME} bytes; shorten it",
        ),
        (
            len(name.encode()) > _LONGEST_PATH,
            f"has a path of more than {_LONGEST_PATH} bytes; pack fewer folders in folders",
        ),
        (
            mode not in (0, stat.S_IFREG, stat.S_IFDIR),
            "is a link or a device, no file; pack the file itself",
        ),
        (bool(info.flag_bits & _ENCRYPTED), "is encrypted; pack without a password"),
        (
            info.compress_type not in _METHODS,
            "is compressed by a method that is not read; pack with deflate",
        ),
    )
    return next((message for applies, message in reasons if applies), "")


def _without_outer_folders(found: list[Member], findings: Findings) -> list[Member]:
    """Remove the folders around all classes, which are there if a whole folder was packed, and
    files above the classes that say something about them, such as a README."""
    outer: list[str] = []
    side: list[str] = []
    while True:
        inner = []
        for member in found:
            if len(member.parts) == 1 and is_side_file(member.parts[0]):
                side.append(member.name)
            else:
                inner.append(member)
        found = inner
        # A text file in the outer folder is no image of a class of that name.
        images = [m for m in found if len(m.parts) > 2 or not is_side_file(m.parts[-1])]
        tops = {member.parts[0] for member in found}
        if len(tops) != 1 or not images or any(len(member.parts) < 3 for member in images):
            break
        outer += tops
        found = [replace(member, parts=member.parts[1:]) for member in found]
    if outer:
        path = printable("/".join(outer))
        findings.warn("", f"everything is in the folder {path}; the classes are the folders in it")
    warn_of_side_files(side, findings)
    if not found:
        raise findings.refuse("", "holds no images; pack one folder of images for each class")
    return found


def _extract(
    opened: zipfile.ZipFile, found: list[Member], folder: Path, findings: Findings
) -> None:
    """Write the files.

    No more bytes are written than the archive's list declares, which is within the limits: zipfile
    reads no further, and a longer member is noticed by its checksum.
    """
    for member in found:
        target = folder.joinpath(*member.parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                for block in read_member(opened, member.info):
                    out.write(block)
        except ZIP_ERRORS as error:
            findings.add(
                printable(member.name), f"is damaged in the archive ({error}); zip it again"
            )
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            findings.add(
                printable(member.name), "is both a file and a folder, or twice there; rename one"
            )


@contextmanager
def _scratch(into: Path) -> Iterator[Path]:
    """Make a folder next to `into`, and delete it afterwards unless it was moved."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as around:
        scratch = Path(around) / "set"
        scratch.mkdir()
        yield scratch
