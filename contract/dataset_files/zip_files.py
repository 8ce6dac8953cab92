"""Zip files, whoever made them: opened and read so that damage is one sort of error."""

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
"""What zipfile raises over damaged or unknown content."""


@contextmanager
def open_zip(path: Path, findings: Findings) -> Iterator[zipfile.ZipFile]:
    """The archive, its list of members read.

    Raises:
        IntakeError: it is no zip, or was cut off.
    """
    try:
        opened = zipfile.ZipFile(path)
    except ZIP_ERRORS as error:
        raise findings.refuse(
            "", f"is no complete zip archive ({error}); pack it anew and bring it again"
        ) from error
    except OSError as error:
        raise findings.refuse("", f"cannot be read: {error.strerror or error}") from error
    with opened:
        yield opened


def open_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """A member's content, unpacked as it is read.

    Raises:
        One of ZIP_ERRORS: it is not where the archive's list says.
    """
    try:
        return opened.open(info)
    except OSError as error:
        raise zipfile.BadZipFile(f"no place {info.header_offset} in the file") from error


def read_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's content in blocks; neither more nor less than its header declares.

    Raises:
        One of ZIP_ERRORS: it is damaged, or not as long as declared.
    """
    read = 0
    with open_member(opened, info) as stream:
        while block := stream.read(BLOCK):
            read += len(block)
            yield block
    if read != info.file_size:
        raise zipfile.BadZipFile(f"{read} bytes, declared are {info.file_size}")
