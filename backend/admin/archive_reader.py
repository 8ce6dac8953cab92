"""Reads a backup: all of it is verified before anything is believed."""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.admin import manifest as form
from backend.admin.archive_writer import CHUNK, Hashing, Progress
from backend.admin.locations import AdminError
from backend.admin.manifest import Manifest, Member
from backend.admin.progress import Tell
from backend.db import migrations


def verify(file: Path, tell: Tell) -> Manifest:
    """What a backup holds, once all of it was read and found as its manifest says.

    Raises:
        AdminError: it is none, was cut off or changed, holds what no backup holds, or is of a
            newer version.
    """
    total, done = file.stat().st_size, 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        tell("checking the backup", done, total)

    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    with _open(file) as tar:
        for header, content in _members(tar):
            if manifest is not None:
                raise _broken(file, f"{header.name!r} stands behind its manifest")
            if header.name == form.MANIFEST:
                manifest = _parse(file, header, content)
                continue
            if not _plain(header) or not form.is_known(header.name):
                raise _broken(file, f"{header.name!r} is nothing that a backup holds")
            if header.name in found:
                raise _broken(file, f"{header.name!r} is in it twice")
            found[header.name] = _hash(content, progress)
    if manifest is None:
        raise _broken(file, "its end is missing")
    _compare(file, manifest, found)
    return manifest


def extract(file: Path, manifest: Manifest, places: dict[str, Path], tell: Tell) -> None:
    """Write members to their places, whose folders are made, and see them to the disk.

    Raises:
        AdminError: what is read now is not what was verified.
    """
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        tell("restoring files", done, manifest.size)

    with _open(file) as tar:
        for header, content in _members(tar):
            place = places.get(header.name)
            if place is None:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            reading = Hashing(content, progress)
            with place.open("xb") as written:
                while chunk := reading.read(CHUNK):
                    written.write(chunk)
                written.flush()
                os.fsync(written.fileno())
            if reading.member != manifest.members[header.name]:
                raise _broken(file, f"{header.name!r} changed while it was restored")


@contextmanager
def _open(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise _broken(file, str(error)) from error


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
    """All members; the content of one that is no plain file is empty."""
    while (header := tar.next()) is not None:
        cast(Any, tar).members.clear()  # else a million of them would stay
        content = tar.extractfile(header) if _plain(header) else None
        yield header, cast(BinaryIO, content) if content else BytesIO()


def _plain(header: tarfile.TarInfo) -> bool:
    return header.isreg() and not header.issparse()


def _hash(content: BinaryIO, progress: Progress) -> Member:
    reading = Hashing(content, progress)
    while reading.read(CHUNK):
        pass
    return reading.member


def _parse(file: Path, header: tarfile.TarInfo, content: BinaryIO) -> Manifest:
    if not _plain(header) or header.size > form.MOST:
        raise _broken(file, "its manifest is no manifest")
    raw = content.read()
    try:
        claimed = _Format.model_validate_json(raw)
        if claimed.format > form.FORMAT:
            raise AdminError(
                f"{file} is a backup of format {claimed.format}, and this version reads up to "
                f"{form.FORMAT}; a newer Lossboard made it"
            )
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        raise _broken(file, f"its manifest cannot be read: {error.errors()[0]['msg']}") from error
    if not migrations.known(manifest.revision):
        raise AdminError(
            f"the database in {file} has version {manifest.revision}, which this one does not "
            f"know; Lossboard {manifest.lossboard} made it (the newest known here is "
            f"{migrations.head()})"
        )
    return manifest


def _compare(file: Path, manifest: Manifest, found: dict[str, Member]) -> None:
    if form.DATABASE not in manifest.members:
        raise _broken(file, "no database is in it")
    for name, member in manifest.members.items():
        if found.get(name) != member:
            what = "is missing from it" if name not in found else "is not as it was backed up"
            raise _broken(file, f"{name!r} {what}")
    if unknown := found.keys() - manifest.members.keys() - set(manifest.damaged):
        raise _broken(file, f"{min(unknown)!r} is not in its manifest")


class _Format(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: int = Field(ge=1)


def _broken(file: Path, why: str) -> AdminError:
    return AdminError(f"{file} is no whole backup: {why}. Nothing was changed")
