"""Columns of a MATLAB file of version 5, the default of MATLAB's `save`."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import scipy.io

from contract.dataset_files.array_source import ArraySource
from contract.dataset_files.columns import Column, InMemoryColumn
from contract.dataset_files.problems import Findings, IntakeError, Limits
from contract.dataset_files.zip_files import BLOCK

_HEADER_BYTES: Final = 128
_COMPRESSED: Final = 15
_MAX_NUMBER_BYTES: Final = 8
"""Most bytes of a number: MATLAB stores small numbers as bytes and reads them as doubles."""
_MAT_ERRORS: Final = (
    scipy.io.matlab.MatReadError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
    zlib.error,
    struct.error,
)
"""What scipy's reader raises for damaged files."""


def mat_source(path: Path, limits: Limits, findings: Findings) -> ArraySource:
    """Return the arrays of a file, after counting how many bytes it unpacks to.

    Raises:
        IntakeError: the file is damaged, or unpacks to more than the limits allow.
    """
    try:
        with path.open("rb") as file:
            size = _unpacked_size(file, path.stat().st_size, limits.max_bytes)
        listed = [] if size > limits.max_bytes else scipy.io.whosmat(path)
    except _MAT_ERRORS as error:
        raise findings.refuse(
            "", f"is not a complete MATLAB file ({error}); save it again"
        ) from error
    if size > limits.max_bytes:
        raise _too_large(limits, findings)
    sizes = {name: prod(shape) * _MAX_NUMBER_BYTES for name, shape, _ in listed}

    def read(wanted: Sequence[str], into: Findings) -> dict[str, Column]:
        return mat_columns(path, wanted, sizes, limits=limits, findings=into)

    return ArraySource([*sizes], read)


def _too_large(limits: Limits, findings: Findings) -> IntakeError:
    return findings.refuse(
        "", f"unpacks to more than {limits.max_bytes:,} bytes; bring fewer rows or columns"
    )


def mat_columns(
    path: Path,
    wanted: Sequence[str],
    sizes: Mapping[str, int],
    *,
    limits: Limits,
    findings: Findings,
) -> dict[str, Column]:
    """Read the arrays with these names.

    Args:
        path: the file.
        wanted: the names.
        sizes: bytes that each array takes at most.
        limits: bounds on the size of the data.
        findings: collects arrays that cannot be used.

    Raises:
        IntakeError: the file is damaged, or the arrays take more than the limits allow.
    """
    if any(sizes[name] > limits.max_bytes for name in wanted):
        raise _too_large(limits, findings)
    try:
        found = scipy.io.loadmat(path, variable_names=list(wanted)) if wanted else {}
    except _MAT_ERRORS as error:
        raise findings.refuse(
            "", f"is not a complete MATLAB file ({error}); save it again"
        ) from error
    columns: dict[str, Column] = {}
    for name in wanted:
        values = found.get(name)
        if not isinstance(values, np.ndarray) or values.dtype.hasobject:
            findings.add(name, "is a cell, a struct or sparse; save a full matrix of numbers")
        else:
            columns[name] = InMemoryColumn(values)
    return columns


def _unpacked_size(file: BinaryIO, size: int, limit: int) -> int:
    """Count the bytes of all variables by unpacking them, but not far beyond the limit.

    Raises:
        ValueError, struct.error, zlib.error: a variable is cut off or damaged.
    """
    total = 0
    order = "<" if file.read(_HEADER_BYTES)[126:128] == b"IM" else ">"
    while (tag := file.read(8)) and total <= limit:
        kind, length = struct.unpack(f"{order}II", tag)
        if file.tell() + length > size:
            raise ValueError(f"cut off {file.tell() + length - size:,} bytes too early")
        if kind != _COMPRESSED:
            total += length
            file.seek(length, 1)
            continue
        unpacker, left = zlib.decompressobj(), length
        while left and total <= limit:
            block = file.read(min(BLOCK, left))
            left -= len(block)
            while block and total <= limit:
                total += len(unpacker.decompress(block, BLOCK))
                block = unpacker.unconsumed_tail
    return total
