"""A zip of class folders: its list checked, then unpacked, then every image checked.

What a zip says that it holds, before anything of it is unpacked.
"""

import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from contract.dataset_files.image_folder import check_images, is_junk, list_images
from contract.dataset_files.problems import DEFAULT, Findings, ImageSet, Limits, Told, nobody
from contract.dataset_files.zip_files import ZIP_ERRORS, open_zip, read_member

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONGEST_NAME: Final = 255
"""Bytes in one part of a path, as file systems have it."""


@dataclass(frozen=True)
class Member:
    """A file in an archive that is safe to unpack."""

    info: zipfile.ZipInfo
    name: str
    """As in the archive."""
    parts: tuple[str, ...]
    """Below the folder it is unpacked into."""


def members(opened: zipfile.ZipFile, limits: Limits, findings: Findings) -> list[Member]:
    """The files of an archive; those that systems put there are left out.

    Raises:
        IntakeError: a name leads out of the archive, something is no plain file, is encrypted, or
            there is more than the limits allow.
    """
    found, junk = [], 0
    for info in opened.infolist():
        if problem := _unsafe(info):
            findings.add(info.orig_filename, problem)
            continue
        parts = tuple(part for part in info.filename.split("/") if part not in ("", "."))
        if any(is_junk(part) for part in parts):
            junk += not info.is_dir()
        elif not info.is_dir():
            found.append(Member(info, info.filename, parts))
    if len(found) > limits.max_files:
        findings.add("", f"has {len(found):,} files, more than {limits.max_files:,}; bring fewer")
    declared = sum(member.info.file_size for member in found)
    if declared > limits.max_bytes:
        findings.add(
            "", f"unpacks to {declared:,} bytes, more than {limits.max_bytes:,}; bring less"
        )
    findings.settle()
    if not found:
        raise findings.refuse("", "holds no files; pack one folder of images for each class")
    if junk:
        findings.warn("", f"passed over {junk} hidden or system files")
    return _without_wrapping(found, findings)


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a member must not be unpacked; empty where it may be."""
    name, parts = info.orig_filename, info.orig_filename.split("/")
    mode = stat.S_IFMT(info.external_attr >> 16)
    reasons = (
        (
            "\0" in name or "\\" in name,
            "has a backslash or NUL in its name; pack the folder with another program",
        ),
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


def _without_wrapping(found: list[Member], findings: Findings) -> list[Member]:
    """Without the one folder around everything that packing a folder by its name leaves."""
    tops = {member.parts[0] for member in found}
    if len(tops) > 1 or any(len(member.parts) < 3 for member in found):
        return found
    findings.warn(
        "", f"everything is in the folder {tops.pop()}; the classes are the folders in it"
    )
    return [replace(member, parts=member.parts[1:]) for member in found]


def unpack_images(
    archive: Path, into: Path, limits: Limits = DEFAULT, told: Told = nobody
) -> ImageSet:
    """Unpack a zip that holds one folder of images for each class.

    Args:
        archive: where it lies; it stays as it is.
        into: the folder that will hold the class folders; must not be there yet. It is there
            afterwards, whole, or not at all.
        limits: of the files in all, unpacked, of their number and of each.
        told: how many images are checked.

    Raises:
        IntakeError: the archive is damaged or unsafe, or its content is no set of images.
    """
    findings = Findings()
    with _scratch(into) as scratch:
        with open_zip(archive, findings) as opened:
            found = members(opened, limits, findings)
            _extract(opened, found, scratch, findings)
        findings.settle()
        checked = check_images(list_images(scratch, limits, findings), limits, findings, told)
        scratch.replace(into)
    return replace(checked, root=into)


def _extract(
    opened: zipfile.ZipFile, found: list[Member], folder: Path, findings: Findings
) -> None:
    """Write the files; no more bytes than the archive's list declares, which was within the
    limits: zipfile reads no further, and a member that goes on is found by its checksum."""
    for member in found:
        target = folder.joinpath(*member.parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                for block in read_member(opened, member.info):
                    out.write(block)
        except ZIP_ERRORS as error:
            findings.add(member.name, f"is damaged in the archive ({error}); pack it anew")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            findings.add(member.name, "is both a file and a folder, or twice there; rename one")


@contextmanager
def _scratch(into: Path) -> Iterator[Path]:
    """A folder beside `into`, gone afterwards unless it was moved."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as around:
        scratch = Path(around) / "set"
        scratch.mkdir()
        yield scratch
