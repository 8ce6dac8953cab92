"""Archives of published data sets, unpacked completely or not at all.

An archive need not come from a trusted source: nothing is written outside the folder, only plain
files are made, and no more bytes than the caller allows.
"""

import contextlib
import gzip
import io
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from worker.errors import DataError
from worker.reporting.progress import Progress

BLOCK: Final = 2**20
"""Bytes read at once."""
MAX_ENTRIES: Final = 1_000_000
"""Most files and folders in an archive."""
GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGIC: Final = b"PK"
TAR_END: Final = bytes(1024)
"""The zeros with which every tar ends."""
BROKEN: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # an unknown compression in a zip
    RuntimeError,  # a zip with a password
    ValueError,  # sizes and names of damaged headers
)
"""What the readers raise for a file that is no archive or an incomplete one."""

ReportProgress = Callable[[], None]
"""Reports the progress of unpacking."""
Stream = IO[bytes] | io.BufferedIOBase


class _RefusedError(Exception):
    """An archive holds something that must not be unpacked."""


def unpack(archive: Path, into: Path, *, limit: int, progress: Progress) -> None:
    """Unpack a .tar, .tar.gz or .zip, recognised by its content.

    Args:
        archive: the archive; it is kept.
        into: the folder that is made for its content; must not exist yet.
        limit: most bytes of the content, both as declared and as unpacked.
        progress: called with the bytes of the archive that are done.

    Raises:
        DataError: the archive is damaged or too large, or holds a path that leads out of the
            folder, a link, or another entry that is no file; nothing is left of it.
        OSError: `into` exists already, or cannot be written.
        CancelledError: raised by `progress`; nothing is left behind.
    """
    partial = into.with_name(f"{into.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
    if into.exists():
        raise FileExistsError(f"{into} is there already")
    partial.mkdir(parents=True)
    try:
        with _archive_errors(archive), archive.open("rb") as file:
            size = archive.stat().st_size
            what = f"unpacking {archive.name}"

            def tell() -> None:
                progress(what, min(file.tell(), size), size, "bytes")

            head = file.read(len(ZIP_MAGIC))
            file.seek(0)
            if head == ZIP_MAGIC:
                _unpack_zip(file, partial, limit, tell)
            else:
                _unpack_tar(file, partial, limit, tell)
        partial.rename(into)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def gunzip(archive: Path, target: Path, *, limit: int, progress: Progress) -> None:
    """Unpack the single file in a .gz.

    Args:
        archive: the archive; it is kept.
        target: the file that is made or replaced.
        limit: most bytes of the file.
        progress: called with the bytes of the archive that are done.

    Raises:
        DataError: the archive is damaged, empty or too large; `target` is not touched.
        OSError: `target` cannot be written.
        CancelledError: raised by `progress`; nothing is left behind.
    """
    partial = target.with_name(f"{target.name}.partial")
    size = archive.stat().st_size
    try:
        with _archive_errors(archive), archive.open("rb") as file, partial.open("wb") as made:
            with gzip.open(file) as packed:
                source = io.BufferedReader(_Limited(packed, limit))
                while block := source.read(BLOCK):
                    made.write(block)
                    progress(f"unpacking {archive.name}", min(file.tell(), size), size, "bytes")
            if not made.tell():  # gzip accepts an empty file as a complete archive
                raise EOFError("it is empty")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _archive_errors(archive: Path) -> Iterator[None]:
    """Turn what the readers raise into a DataError that names the archive."""
    try:
        yield
    except _RefusedError as error:
        raise DataError(f"{archive} is refused: {error}. Put the official one there.") from error
    except BROKEN as error:
        why = str(error) or type(error).__name__
        raise DataError(f"{archive} is damaged: {why}. Put a whole one there.") from error


class _Limited(io.RawIOBase):
    """A stream that refuses to yield more bytes than a limit."""

    def __init__(self, source: Stream, limit: int) -> None:
        self._source = source
        self._left = limit
        self._limit = limit
        self.tail = b""
        """The last bytes that were read."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        block = self._source.read(len(buffer))
        self._left -= len(block)
        if self._left < 0:
            raise _RefusedError(f"it unpacks to more than {self._limit:,} bytes")
        buffer[: len(block)] = block
        self.tail = (self.tail + block[-len(TAR_END) :])[-len(TAR_END) :]
        return len(block)


def _unpack_tar(file: IO[bytes], into: Path, limit: int, tell: ReportProgress) -> None:
    """Unpack in one pass: a tar has no list of its content."""
    head = file.read(len(GZIP_MAGIC))
    file.seek(0)
    plain: Stream = gzip.GzipFile(fileobj=file) if head == GZIP_MAGIC else file
    # Headers and padding count towards the limit too, a little over a kilobyte for each file.
    source = _Limited(plain, limit)
    stream = io.BufferedReader(source, BLOCK)
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for count, member in enumerate(tar):
            _check_count(count)
            place = _entry_path(member.name, into)
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            if not member.isreg():
                raise _RefusedError(f"{member.name} is a link, or no file at all")
            content = tar.extractfile(member)
            assert content is not None  # it is a file
            _write(content, place, member.size, tell)
    while stream.read(BLOCK):  # up to the end, where gzip has its checksum
        pass
    if source.tail != TAR_END:  # tarfile accepts half a header as the end
        raise EOFError("it ends too early")


def _unpack_zip(file: IO[bytes], into: Path, limit: int, tell: ReportProgress) -> None:
    with zipfile.ZipFile(file) as packed:
        members = packed.infolist()
        _check_count(len(members))
        declared = sum(member.file_size for member in members)
        if declared > limit:
            raise _RefusedError(f"it unpacks to {declared:,} bytes, more than {limit:,}")
        for member in members:
            place = _entry_path(member.filename, into)
            if member.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise _RefusedError(f"{member.filename} is a link, or no file at all")
            with packed.open(member) as source:  # never yields more than was declared
                _write(source, place, member.file_size, tell)


def _check_count(count: int) -> None:
    if count > MAX_ENTRIES:
        raise _RefusedError(f"it holds more than {MAX_ENTRIES:,} files")


def _entry_path(name: str, into: Path) -> Path:
    """Return the path of an entry of that name, which must lie in the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise _RefusedError(f"{name!r} leads out of the folder")
    return into / path


def _write(source: IO[bytes], place: Path, size: int, tell: ReportProgress) -> None:
    """Write one file, which must have `size` bytes."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        made = place.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise _RefusedError(f"it holds {place.name} twice, or inside a file") from None
    with made:
        while block := source.read(BLOCK):
            made.write(block)
            tell()
        if made.tell() != size:
            raise EOFError(f"{place.name} has {made.tell():,} of {size:,} bytes")
