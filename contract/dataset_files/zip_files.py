"""Zip files of any origin, opened and read so that all kinds of damage give the same errors."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from contract.dataset_files.problems import Findings

BLOCK: Final = 2**20
ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    struct.error,
    ValueError,
)
"""What zipfile raises for damaged or unknown content."""


@contextmanager
def open_zip(path: Path, findings: Findings) -> Iterator[zipfile.ZipFile]:
    """Open an archive and read its list of members.

    Raises:
        IntakeError: it is no zip, or is incomplete.
    """
    try:
        opened = zipfile.ZipFile(path)
    except ZIP_ERRORS as error:
        raise findings.refuse(
            "", f"is not a complete zip archive ({error}); zip it again and upload the new file"
        ) from error
    except OSError as error:
        raise findings.refuse("", f"cannot be read: {error.strerror or error}") from error
    with opened:
        yield opened


def open_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member, which is unpacked while it is read.

    Raises:
        One of ZIP_ERRORS: it is not where the archive's list says.
    """
    try:
        return opened.open(info)
    except OSError as error:
        raise zipfile.BadZipFile(f"no place {info.header_offset} in the file") from error


def read_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of a member in blocks, exactly as many bytes as its header declares.

    Raises:
        One of ZIP_ERRORS: it is damaged, or has another length.
    """
    read = 0
    with open_member(opened, info) as stream:
        while block := stream.read(BLOCK):
            read += len(block)
            yield block
    if read != info.file_size:
        raise zipfile.BadZipFile(f"{read} bytes, declared are {info.file_size}")
