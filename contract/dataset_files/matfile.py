"""Columns of a MATLAB file of version 5, the default of MATLAB's `save`."""

import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import scipy.io

from contract.dataset_files.columns import Column, InMemoryColumn
from contract.dataset_files.problems import Findings, Limits
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


def mat_columns(
    path: Path, wanted: tuple[str, ...], limits: Limits, findings: Findings
) -> dict[str, Column]:
    """Read the arrays with these names, after counting how many bytes the file unpacks to.

    Raises:
        IntakeError: the file is damaged, or unpacks to more than the limits allow.
    """
    try:
        with path.open("rb") as file:
            size = _unpacked_size(file, path.stat().st_size, limits.max_bytes)
        listed = [] if size > limits.max_bytes else scipy.io.whosmat(path)
        if size > limits.max_bytes or any(
            prod(shape) * _MAX_NUMBER_BYTES > limits.max_bytes
            for name, shape, _ in listed
            if name in wanted
        ):
            raise findings.refuse(
                "", f"unpacks to more than {limits.max_bytes:,} bytes; bring fewer rows or columns"
            )
        found = scipy.io.loadmat(path, variable_names=list(wanted))
    except _MAT_ERRORS as error:
        if findings.total:
            raise
        raise findings.refuse("", f"is no complete MATLAB file ({error}); save it anew") from error
    columns: dict[str, Column] = {}
    for name, _, _ in listed:
        values = found.get(name)
        if name not in wanted:
            findings.ignore_column(name)
        elif not isinstance(values, np.ndarray) or values.dtype.hasobject:
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
