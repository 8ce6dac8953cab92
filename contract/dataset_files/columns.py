"""Columns of a table before they are read: name, shape and type are known, values are not."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Final, Protocol

import numpy as np

from contract.dataset_files.limits import Limits
from contract.dataset_files.problems import Findings

BLOCK_BYTES: Final = 2**24
"""How much of a column is read at once."""


class DamagedError(Exception):
    """A column's values are not what its header declares."""


class Column(Protocol):
    """An array in a file, rows along the first axis."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As the file declares it."""

    @property
    def dtype(self) -> np.dtype:
        """As the file declares it."""

    @property
    def stored(self) -> int:
        """Bytes that it takes in the file."""

    def blocks(self) -> Iterator[np.ndarray]:
        """All rows in order, in blocks of a moderate size.

        Raises:
            DamagedError: the values are not there as declared.
        """


@dataclass(frozen=True)
class InMemory:
    """A column whose values are at hand."""

    values: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype:
        """Of the values."""
        return self.values.dtype

    @property
    def stored(self) -> int:
        """Of the values."""
        return self.values.nbytes

    def blocks(self) -> Iterator[np.ndarray]:
        """All at once."""
        yield self.values


def rows_at_once(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """How many rows make a block."""
    return max(1, BLOCK_BYTES // max(1, prod(shape[1:]) * dtype.itemsize))


def whole(column: Column) -> np.ndarray:
    """All values of a small column.

    Raises:
        DamagedError: the values are not there as declared.
    """
    blocks = list(column.blocks())
    return np.concatenate(blocks) if blocks else np.zeros(column.shape, dtype=column.dtype)


def readable(name: str, column: Column, limits: Limits, findings: Findings) -> bool:
    """Whether a column's values may be read at all; a problem if not.

    A declared size beyond the limit is believed where the file holds as many bytes: then it is no
    bomb, and it is read in blocks.
    """
    size = prod(column.shape) * column.dtype.itemsize
    if column.dtype.kind not in "fiubUS":
        findings.add(name, f"holds values of type {column.dtype}; needs plain numbers, or words")
    elif not column.shape:
        findings.add(name, "is a single value; needs one for each row")
    elif size > max(limits.max_bytes, column.stored):
        findings.add(
            name,
            f"declares shape {tuple(column.shape)}, {size:,} bytes, more than "
            f"{limits.max_bytes:,}; bring fewer rows or columns",
        )
    else:
        return True
    return False
