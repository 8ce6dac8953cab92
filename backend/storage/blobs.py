"""The blob store: bytes on disk, named by the SHA-256 of their content."""

import asyncio
import hashlib
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
from backend.storage.data_folder import DISK_FULL_ERRORS, has_room

BLOBS_FOLDER: Final = "blobs"
"""Their folder's name within the data folder."""
GRACE_PERIOD_S: Final = 3600.0
"""A blob that nobody speaks of may still be meant for a message under way; not after so long."""
NO_ROOM: Final = "the API's disk has no room for it; delete comparisons, or give it more"
CHUNK_BYTES: Final = 1 << 20
"""Bytes that are written at once."""
PREFIX_DIGITS: Final = 2
"""Digits of a digest that name its folder."""


class Blobs:
    """A folder of blobs. One comes whole, by one rename, and is never written to again.

    The time of a file is when its blob was last put, by which `delete` knows what is new.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        self._lock = threading.Lock()

    @property
    def root(self) -> Path:
        """Where they lie."""
        return self._root

    def open(self) -> None:
        """Make the folders; remove what an earlier process left unfinished."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def incoming(self) -> Iterator["IncomingBlob"]:
        """A new file to write to, which is gone afterwards unless it was kept."""
        path = self._incoming / secrets.token_hex(16)
        try:
            with path.open("xb") as file:
                yield IncomingBlob(path, file)
        finally:
            path.unlink(missing_ok=True)

    def keep(self, incoming: "IncomingBlob") -> str:
        """Make what was written a blob; its digest. The same once more counts as put now."""
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
        """Store bytes that are in memory; their digest."""
        with self.incoming() as incoming:
            incoming.write(content)
            return self.keep(incoming)

    def has(self, digest: str) -> bool:
        """Whether it is there."""
        return self.location(digest).is_file()

    def location(self, digest: str) -> Path:
        """Where a blob lies, or would."""
        return self._root / digest[:PREFIX_DIGITS] / digest

    def path(self, digest: str) -> Path:
        """The file of a blob.

        Raises:
            NotFoundError: it is not there.
        """
        place = self.location(digest)
        if not place.is_file():
            raise _missing_error(digest)
        return place

    def read(self, digest: str) -> bytes:
        """The bytes of a blob.

        Raises:
            NotFoundError: it is not there.
        """
        try:
            return self.location(digest).read_bytes()
        except FileNotFoundError:
            raise _missing_error(digest) from None

    def size(self, digests: Iterable[str]) -> int:
        """Bytes of those that are there."""
        return sum(self._size(self.location(digest)) for digest in digests)

    def delete(self, digests: Iterable[str], before: float) -> int:
        """Delete those that were last put before a time; how many bytes that frees."""
        return sum(self._delete(self.location(digest), before) for digest in digests)

    def delete_except(self, kept: Collection[str], before: float) -> int:
        """Delete all but these and those put since; how many bytes that frees."""
        files = [file for file in self._root.glob("??/*") if file.name not in kept]
        return sum(self._delete(file, before) for file in files)

    def _size(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0

    def _delete(self, path: Path, before: float) -> int:
        with self._lock:  # or it might be put again between the look and the end
            try:
                seen = path.stat()
                if seen.st_mtime >= before:
                    return 0
                path.unlink()
            except FileNotFoundError:
                return 0
            return seen.st_size


class IncomingBlob:
    """A blob as it arrives."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of what has arrived."""
        return self._hash.hexdigest()

    def write(self, content: bytes) -> None:
        """Take more of it.

        Raises:
            OSError: there is no room.
        """
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    def sync(self) -> None:
        """On disk, not only on its way there: the row that will name it is durable too."""
        self._file.flush()
        os.fsync(self._file.fileno())


BlobStore = Annotated[Blobs, from_state("blobs")]


async def receive_blob(request: Request, blobs: Blobs, digest: str) -> None:
    """Write a request's body to disk as it arrives; keep it if its content has that digest.

    Raises:
        RequestValidationError: the content has another.
        DiskFullError: there is no room.
        TimedOutError: nothing arrives any more.
        HttpError: the sender went.
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
        if error.errno in DISK_FULL_ERRORS:
            raise DiskFullError(NO_ROOM) from error
        raise
    except ClientDisconnect as error:
        raise HttpError("the client went") from error  # told to nobody


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
