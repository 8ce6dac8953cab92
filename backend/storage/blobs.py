"""The blob store: bytes on disk, named by the SHA-256 of their content."""

import asyncio
import hashlib
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from backend.errors import DiskFullError, HttpError, NotFoundError
from backend.http.dependencies import from_state
from backend.http.multipart import read_chunks
from backend.storage.disk_space import describe_write_error, has_room

log = logging.getLogger(__name__)
BLOBS_FOLDER: Final = "blobs"
"""Name of the blobs' folder within the data folder."""
GRACE_PERIOD_S: Final = 3600.0
"""A younger blob that no row names may belong to a message that is still under way."""
NO_ROOM: Final = "the API's disk has no room for it; delete comparisons, or give it more"
CHUNK_BYTES: Final = 1 << 20
"""Bytes that are written at once."""
PREFIX_DIGITS: Final = 2
"""Digits of a digest that name its folder."""


class Blobs:
    """A folder of blobs. A blob appears whole, by one rename, and is never written to again.

    The modification time of a file is when its blob was last stored; `delete` compares it to spare
    new blobs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        self._lock = threading.Lock()

    @property
    def root(self) -> Path:
        """The folder of the blobs."""
        return self._root

    @property
    def folders(self) -> tuple[Path, Path]:
        """The folders that must be writable."""
        return self._root, self._incoming

    def open(self) -> None:
        """Create the folders, and delete what an earlier process left unfinished."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def incoming(self) -> Iterator["IncomingBlob"]:
        """Open a new file to write to; it is deleted at the end unless it was kept."""
        path = self._incoming / secrets.token_hex(16)
        try:
            with path.open("xb") as file:
                yield IncomingBlob(path, file)
        finally:
            path.unlink(missing_ok=True)

    def keep(self, incoming: "IncomingBlob") -> str:
        """Make what was written a blob and return its digest; storing it again renews its time."""
        incoming.sync()
        digest, path = incoming.digest, self.location(incoming.digest)
        now = time.time()
        with self._lock:
            if not (path.is_file() and path.stat().st_size == incoming.size):
                path.parent.mkdir(exist_ok=True)
                incoming.path.replace(path)
            os.utime(path, (now, now))
        return digest

    def put(self, content: bytes) -> str:
        """Store bytes that are in memory and return their digest."""
        with self.incoming() as incoming:
            incoming.write(content)
            return self.keep(incoming)

    def has(self, digest: str) -> bool:
        """Return whether the blob exists."""
        return self.location(digest).is_file()

    def location(self, digest: str) -> Path:
        """Return the path that a blob has, or would have."""
        return self._root / digest[:PREFIX_DIGITS] / digest

    def path(self, digest: str) -> Path:
        """Return the path of a blob that exists.

        Raises:
            NotFoundError: it does not exist.
        """
        path = self.location(digest)
        if not path.is_file():
            raise _missing_error(digest)
        return path

    def read(self, digest: str) -> bytes:
        """Return the bytes of a blob.

        Raises:
            NotFoundError: it does not exist.
        """
        try:
            return self.location(digest).read_bytes()
        except FileNotFoundError:
            raise _missing_error(digest) from None

    def size(self, digests: Iterable[str]) -> int:
        """Return the bytes of those blobs that exist."""
        return sum(self._size(self.location(digest)) for digest in digests)

    def delete(self, digests: Iterable[str], before: float) -> int:
        """Delete those blobs that were last stored before a time; return the bytes freed."""
        return sum(self._delete(self.location(digest), before) for digest in digests)

    def delete_except(self, kept: Collection[str], before: float) -> int:
        """Delete all blobs but these and those stored since a time; return the bytes freed."""
        files = [file for file in self._root.glob("??/*") if file.name not in kept]
        return sum(self._delete(file, before) for file in files)

    def _size(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0

    def _delete(self, path: Path, before: float) -> int:
        with self._lock:  # otherwise it might be stored again between the check and the deletion
            try:
                seen = path.stat()
                if seen.st_mtime >= before:
                    return 0
                path.unlink()
            except FileNotFoundError:
                return 0
            return seen.st_size


class IncomingBlob:
    """A blob that is being written."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The digest of what has been written."""
        return self._hash.hexdigest()

    def write(self, content: bytes) -> None:
        """Write more of its content.

        Raises:
            OSError: the disk has no room.
        """
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    def sync(self) -> None:
        """Force the file to disk: the row that will name it is durable too."""
        self._file.flush()
        os.fsync(self._file.fileno())


BlobStore = Annotated[Blobs, from_state("blobs")]


async def receive_blob(request: Request, blobs: Blobs, digest: str) -> None:
    """Write a request's body to disk as it arrives; keep it if its content has the digest.

    Raises:
        RequestValidationError: the content has another digest.
        DiskFullError: the disk has no room, or the folder cannot be written.
        TimedOutError: nothing has arrived for too long.
        HttpError: the client has disconnected.
    """
    try:
        announced = request.headers.get("content-length", "0")
        if not has_room(blobs.root, int(announced)):
            raise DiskFullError(NO_ROOM)
        with blobs.incoming() as incoming:
            waiting = bytearray()
            async for chunk in read_chunks(request):
                waiting += chunk
                if len(waiting) >= CHUNK_BYTES:
                    await asyncio.to_thread(incoming.write, bytes(waiting))
                    waiting.clear()
            incoming.write(bytes(waiting))
            if incoming.digest != digest:
                raise _wrong_digest_error(digest, incoming.digest, incoming.size)
            await asyncio.to_thread(blobs.keep, incoming)
    except OSError as error:
        # Also where the folder is read-only: a worker leaves the blob out and goes on training.
        problem = describe_write_error(error, blobs.root)
        log.error("a blob was not stored: %s", problem)
        raise DiskFullError(problem) from error
    except ClientDisconnect as error:
        raise HttpError("the client went") from error  # nobody is there to read it


def _wrong_digest_error(asked: str, seen: str, size: int) -> RequestValidationError:
    message = f"the {size} bytes that came have the SHA-256 {seen}; send them again"
    where = ("path", "digest")
    return RequestValidationError(
        [{"type": "value_error", "loc": where, "msg": message, "input": asked}]
    )


def _missing_error(digest: str) -> NotFoundError:
    return NotFoundError(
        f"the blob {digest} is not on the API's disk; its row came without it, or it was deleted"
    )
