"""The backup file: an uncompressed tar whose last member is a manifest of all others.

Embeddings and checkpoints, which are most of it, hardly compress, so nothing is compressed. The
manifest comes last: a file that was cut off has none. Members are hashed while they are written; a
reader verifies all of the file before it trusts any of it.
"""

import hashlib
import io
import os
import re
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.admin.locations import AdminError
from backend.admin.progress import CountBytes, ReportProgress, byte_counter
from backend.datasets.check_report import CONTENT, THUMBNAILS
from backend.datasets.repository import UPLOADS
from backend.db import migrations
from backend.storage.blobs import BLOBS_FOLDER

FORMAT: Final = 1
"""Increased when a reader of the file has to change."""
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.sqlite"
MAX_MANIFEST_BYTES: Final = 1 << 30
"""Enough for some million blobs."""
CHUNK_BYTES: Final = 1 << 20
_BLOB_NAME: Final = re.compile(rf"{BLOBS_FOLDER}/([0-9a-f]{{64}})")
_UPLOAD_NAME: Final = re.compile(
    rf"{UPLOADS}/d[0-9a-f]{{16}}/(?:{CONTENT}|{re.escape(THUMBNAILS)})"
)


class Member(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """The contents of a backup."""

    model_config = ConfigDict(extra="forbid")

    format: int
    made_at: str
    """ISO 8601, UTC."""
    lossboard: str
    """The version of Lossboard that made it."""
    revision: str
    """The revision of the database's schema."""
    source: str
    """sqlite or postgresql: the kind of database that was backed up; the file holds SQLite either
    way."""
    members: dict[str, Member]
    damaged: list[str] = Field(default_factory=list)
    """Members that were already damaged on disk; no row of the database names them."""

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members.values())


class ArchiveWriter:
    """A backup that is being written; `finish` completes it."""

    def __init__(self, file: BinaryIO, progress: CountBytes) -> None:
        self._file = file
        self._tar = tarfile.TarFile(
            fileobj=file, mode="w", format=tarfile.GNU_FORMAT, copybufsize=CHUNK_BYTES
        )
        self._progress = progress
        self.members: dict[str, Member] = {}
        self.damaged: list[str] = []

    def add(self, name: str, path: Path, sha256: str | None = None) -> None:
        """Add a file; one whose content does not have the expected hash counts as damaged.

        Raises:
            AdminError: it became shorter meanwhile.
        """
        with path.open("rb") as file:
            hashed = HashingReader(file, self._progress)
            try:
                self._tar.addfile(_header(name, os.fstat(file.fileno()).st_size), hashed)
            except OSError as error:
                if error.errno is None:  # this is how tarfile reports a file that ends too early
                    raise AdminError(f"{path} was cut off while it was read") from error
                raise
        cast(Any, self._tar).members.clear()  # otherwise a million of them would stay in memory
        if sha256 in {None, hashed.member.sha256}:
            self.members[name] = hashed.member
        else:
            self.damaged.append(name)

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest and force everything to disk."""
        content = manifest.model_dump_json().encode()
        self._tar.addfile(_header(MANIFEST, len(content)), io.BytesIO(content))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())


def verify_archive(file: Path, report: ReportProgress) -> Manifest:
    """Read a whole backup, compare it with its manifest, and return the manifest.

    Raises:
        AdminError: it is not a backup, was cut off or changed, holds a file that no backup holds,
            or was made by a newer version.
    """
    progress = byte_counter(report, "checking the backup", file.stat().st_size)
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    with _open(file) as tar:
        for header, content in _members(tar):
            if manifest is not None:
                raise _broken_error(file, f"{header.name!r} stands behind its manifest")
            if header.name == MANIFEST:
                manifest = _parse(file, header, content)
                continue
            if not _is_plain_file(header) or not is_known_member(header.name):
                raise _broken_error(file, f"{header.name!r} is nothing that a backup holds")
            if header.name in found:
                raise _broken_error(file, f"{header.name!r} is in it twice")
            found[header.name] = _hash(content, progress)
    if manifest is None:
        raise _broken_error(file, "its end is missing")
    _compare(file, manifest, found)
    return manifest


def extract_archive(
    file: Path, manifest: Manifest, targets: dict[str, Path], report: ReportProgress
) -> None:
    """Write members to their target paths, whose folders are created, and force them to disk.

    Raises:
        AdminError: what is read now is not what was verified.
    """
    progress = byte_counter(report, "restoring files", manifest.size)
    with _open(file) as tar:
        for header, content in _members(tar):
            target = targets.get(header.name)
            if target is None:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            reading = HashingReader(content, progress)
            with target.open("xb") as written:
                while chunk := reading.read(CHUNK_BYTES):
                    written.write(chunk)
                written.flush()
                os.fsync(written.fileno())
            if reading.member != manifest.members[header.name]:
                raise _broken_error(file, f"{header.name!r} changed while it was restored")


def blob_member(digest: str) -> str:
    """Return the name of the member that holds a blob."""
    return f"{BLOBS_FOLDER}/{digest}"


def upload_member(dataset: str, file: str) -> str:
    """Return the name of the member that holds a file of an uploaded data set."""
    return f"{UPLOADS}/{dataset}/{file}"


def is_known_member(name: str) -> bool:
    """Return whether a member of this name may be in a backup; no such name leads out of its
    folder."""
    return name == DATABASE or any(kind.fullmatch(name) for kind in (_BLOB_NAME, _UPLOAD_NAME))


class HashingReader(io.RawIOBase):
    """A file that is read once, from its beginning to its end, and hashed meanwhile."""

    def __init__(self, file: BinaryIO, count: CountBytes) -> None:
        self._file = file
        self._count = count
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def member(self) -> Member:
        """What has been read so far."""
        return Member(size=self.size, sha256=self._hash.hexdigest())

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        content = self._file.read(size)
        self._hash.update(content)
        self.size += len(content)
        self._count(len(content))
        return content


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o600, time.time()
    return header


@contextmanager
def _open(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise _broken_error(file, str(error)) from error


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
    """Yield all members; the content of one that is not a plain file is empty."""
    while (header := tar.next()) is not None:
        cast(Any, tar).members.clear()  # otherwise a million of them would stay in memory
        content = tar.extractfile(header) if _is_plain_file(header) else None
        yield header, cast(BinaryIO, content) if content else BytesIO()


def _is_plain_file(header: tarfile.TarInfo) -> bool:
    return header.isreg() and not header.issparse()


def _hash(content: BinaryIO, progress: CountBytes) -> Member:
    reading = HashingReader(content, progress)
    while reading.read(CHUNK_BYTES):
        pass
    return reading.member


def _parse(file: Path, header: tarfile.TarInfo, content: BinaryIO) -> Manifest:
    if not _is_plain_file(header) or header.size > MAX_MANIFEST_BYTES:
        raise _broken_error(file, "its manifest cannot be read")
    raw = content.read()
    try:
        claimed = _ClaimedFormat.model_validate_json(raw)
        if claimed.format > FORMAT:
            raise AdminError(
                f"{file} is a backup of format {claimed.format}, and this version reads up to "
                f"{FORMAT}; a newer Lossboard made it"
            )
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        raise _broken_error(
            file, f"its manifest cannot be read: {error.errors()[0]['msg']}"
        ) from error
    if not migrations.known(manifest.revision):
        raise AdminError(
            f"the database in {file} has version {manifest.revision}, which this one does not "
            f"know; Lossboard {manifest.lossboard} made it (the newest known here is "
            f"{migrations.head()})"
        )
    return manifest


def _compare(file: Path, manifest: Manifest, found: dict[str, Member]) -> None:
    if DATABASE not in manifest.members:
        raise _broken_error(file, "no database is in it")
    for name, member in manifest.members.items():
        if found.get(name) != member:
            what = "is missing from it" if name not in found else "is not as it was backed up"
            raise _broken_error(file, f"{name!r} {what}")
    if unknown := found.keys() - manifest.members.keys() - set(manifest.damaged):
        raise _broken_error(file, f"{min(unknown)!r} is not in its manifest")


class _ClaimedFormat(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: int = Field(ge=1)


def _broken_error(file: Path, why: str) -> AdminError:
    return AdminError(f"{file} is not a complete backup: {why}. Nothing was changed")
