"""Columns of an npz file; pickles in it are never opened."""

import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import prod
from typing import IO, Final

import numpy as np
from numpy.lib import format as npy

from contract.dataset_files.array_source import ArraySource
from contract.dataset_files.columns import Column, DamagedError, rows_per_block
from contract.dataset_files.problems import Findings
from contract.dataset_files.zip_files import BLOCK, ZIP_ERRORS, open_member

_HEADERS: Final = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


@dataclass(frozen=True)
class NpzColumn:
    """One array of an npz file, read as a stream."""

    opened: zipfile.ZipFile
    info: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    """Whether the first axis changes fastest, so that no row is contiguous."""

    @property
    def stored(self) -> int:
        """Size that the archive's list declares."""
        return self.info.compress_size

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows in order; as one block if they are in Fortran's order."""
        at_once = self.shape[0] if self.fortran else rows_per_block(self.shape, self.dtype)
        try:
            with open_member(self.opened, self.info) as stream:
                _read_header(stream)
                for start in range(0, self.shape[0], max(1, at_once)):
                    shape = (min(at_once, self.shape[0] - start), *self.shape[1:])
                    content = _read_exactly(stream, prod(shape) * self.dtype.itemsize)
                    block = np.frombuffer(content, dtype=self.dtype)
                    yield block.reshape(shape, order="F" if self.fortran else "C")
                if stream.read(1):  # reading to the end also compares the checksum
                    raise DamagedError("holds more values than its shape has; save it again")
        except ZIP_ERRORS as error:
            raise DamagedError(f"is damaged ({error}); save it again") from error


def npz_source(opened: zipfile.ZipFile) -> ArraySource:
    """Return the arrays of an open file; other members are not seen."""
    names = [info.filename.removesuffix(".npy") for info in opened.infolist()]
    return ArraySource(names, lambda wanted, findings: npz_columns(opened, wanted, findings))


def npz_columns(
    opened: zipfile.ZipFile, wanted: Collection[str], findings: Findings
) -> dict[str, Column]:
    """Return the arrays with these names; only their headers are read.

    Problems are added for an array whose header cannot be read or that needs a pickle.
    """
    columns: dict[str, Column] = {}
    for info in opened.infolist():
        name = info.filename.removesuffix(".npy")
        if name not in wanted or name == info.filename:
            continue
        try:
            with open_member(opened, info) as stream:
                shape, fortran, dtype = _read_header(stream)
        except ZIP_ERRORS as error:
            findings.add(name, f"has no array header that can be read ({error}); save it again")
            continue
        if dtype.hasobject:
            findings.add(
                name,
                "holds Python objects (a pickle), which are never opened; save plain numbers, or "
                "words with np.array(words, dtype=str)",
            )
        else:
            columns[name] = NpzColumn(opened, info, shape, dtype, fortran)
    return columns


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the shape, order and type from the header of an array.

    Raises:
        ValueError: it is no header of the npy format.
    """
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of the npy format is not read")
    shape, fortran, dtype = _HEADERS[version](stream)
    if any(size < 0 for size in shape):
        raise ValueError(f"shape {shape}")
    return shape, fortran, dtype


def _read_exactly(stream: IO[bytes], size: int) -> bytearray:
    content = bytearray()
    while len(content) < size:
        block = stream.read(min(BLOCK, size - len(content)))
        if not block:
            raise DamagedError(f"ends {size - len(content):,} bytes too early; save it again")
        content += block
    return content
