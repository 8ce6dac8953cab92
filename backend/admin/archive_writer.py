"""Writes the members of a backup, hashed on their way."""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from backend.admin.locations import AdminError
from backend.admin.manifest import MANIFEST, Manifest, Member

CHUNK: Final = 1 << 20

Progress = Callable[[int], None]
"""Told of so many bytes more."""


class Hashing(io.RawIOBase):
    """A file that is read once, from its beginning to its end."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def member(self) -> Member:
        """What has been read."""
        return Member(size=self.size, sha256=self._hash.hexdigest())

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self._file.read(size)
        self._hash.update(content)
        self.size += len(content)
        self._progress(len(content))
        return content


class Packer:
    """A backup while it is written; `finish` makes it one."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._tar = tarfile.TarFile(
            fileobj=file, mode="w", format=tarfile.GNU_FORMAT, copybufsize=CHUNK
        )
        self._progress = progress
        self.members: dict[str, Member] = {}
        self.damaged: list[str] = []

    def add(self, name: str, path: Path, sha256: str | None = None) -> None:
        """Add a file; one whose content has not the hash it must have counts as damaged.

        Raises:
            AdminError: it became shorter meanwhile.
        """
        with path.open("rb") as file:
            hashed = Hashing(file, self._progress)
            try:
                self._tar.addfile(_header(name, os.fstat(file.fileno()).st_size), hashed)
            except OSError as error:
                if error.errno is None:  # tarfile's own word for an end that came too early
                    raise AdminError(f"{path} was cut off while it was read") from error
                raise
        cast(Any, self._tar).members.clear()  # else a million of them would stay
        if sha256 in {None, hashed.member.sha256}:
            self.members[name] = hashed.member
        else:
            self.damaged.append(name)

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest, and see all of it to the disk."""
        content = manifest.model_dump_json().encode()
        self._tar.addfile(_header(MANIFEST, len(content)), io.BytesIO(content))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o600, time.time()
    return header
