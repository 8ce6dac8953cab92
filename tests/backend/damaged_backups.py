"""Ways to damage a backup, and the message for each."""

import tarfile
from collections.abc import Callable
from pathlib import Path

from backend.admin.archive import DATABASE, MANIFEST, Manifest
from tests.backend.backup_folders import rewrite_backup

Header = tarfile.TarInfo


def damage_cut(file: Path) -> None:
    with file.open("r+b") as opened_file:
        opened_file.truncate(file.stat().st_size * 2 // 3)


def damage_end(file: Path) -> None:
    """Keep all members but the manifest."""
    with tarfile.open(file, "r:") as tar:
        [offset] = [header.offset for header in tar if header.name == MANIFEST]
    with file.open("r+b") as opened_file:
        opened_file.truncate(offset)


def damage_bit(file: Path) -> None:
    with tarfile.open(file, "r:") as tar:
        [place] = [h.offset_data for h in tar if h.name.endswith("/content")]
    with file.open("r+b") as opened_file:
        opened_file.seek(place)
        opened_file.write(b"W")


def damage_nothing_left(file: Path) -> None:
    file.write_bytes(b"")


def damage_other(file: Path) -> None:
    file.write_bytes(b"no tar at all" * 1000)


def renamed_member(name: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        def renamed(header: Header, content: bytes) -> tuple[Header, bytes]:
            if header.name.endswith("/content"):
                header.name = name
            return header, content

        rewrite_backup(file, renamed)

    return change


def as_link(kind: bytes) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        def link(header: Header, content: bytes) -> tuple[Header, bytes]:
            if header.name.endswith("/content"):
                header.type, header.linkname = kind, "../../secret"
            return header, content

        rewrite_backup(file, link)

    return change


def manifest_with(**changes: object) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        def other(header: Header, content: bytes) -> tuple[Header, bytes]:
            if header.name == MANIFEST:
                manifest = Manifest.model_validate_json(content).model_copy(update=changes)
                content = manifest.model_dump_json().encode()
            return header, content

        rewrite_backup(file, other)

    return change


def without_a_blob(file: Path) -> None:
    """Remove a blob from the file and from its manifest: only the database names it."""
    with tarfile.open(file, "r:") as tar:
        gone = next(header.name for header in tar if header.name.startswith("blobs/"))

    def other(header: Header, content: bytes) -> tuple[Header, bytes]:
        if header.name == MANIFEST:
            manifest = Manifest.model_validate_json(content)
            del manifest.members[gone]
            manifest.damaged.append(gone)
            content = manifest.model_dump_json().encode()
        return header, content

    rewrite_backup(file, other)


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut off": (damage_cut, "unexpected end of data|is missing"),
    "without its end": (damage_end, "its end is missing"),
    "a bit changed": (damage_bit, "content' is not as it was backed up"),
    "empty": (damage_nothing_left, "is not a complete backup"),
    "another file": (damage_other, "is not a complete backup"),
    "above": (renamed_member("../escaped"), "'../escaped' is nothing that a backup holds"),
    "absolute": (renamed_member("/escaped"), "escaped' is nothing that a backup holds"),
    "above in a blob": (renamed_member("blobs/../x"), "'blobs/../x' is nothing"),
    "unknown": (renamed_member("worker-token"), "'worker-token' is nothing that a backup holds"),
    "twice": (renamed_member(DATABASE), "is in it twice"),
    "symbolic link": (as_link(tarfile.SYMTYPE), "content' is nothing that a backup holds"),
    "hard link": (as_link(tarfile.LNKTYPE), "content' is nothing that a backup holds"),
    "device": (as_link(tarfile.CHRTYPE), "content' is nothing that a backup holds"),
    "newer format": (manifest_with(format=2), "a backup of format 2, and this version reads"),
    "newer schema": (manifest_with(revision="z9"), "has version z9, which this one does not know"),
    "another schema": (manifest_with(revision="0004"), "not of the version it claims to be"),
    "not in the manifest": (manifest_with(members={}), "no database is in it"),
    "incomplete": (without_a_blob, "names 1 files that are not in it"),
}
