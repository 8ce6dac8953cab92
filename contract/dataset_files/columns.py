"""Columns of a table whose shape and type are known before their values are read; and the labels.

Labels of all accepted forms become codes from 0 and names of the classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Final, NamedTuple, Protocol

import numpy as np

from contract.dataset_files.problems import Findings, Limits
from contract.dataset_files.similar_labels import warn_of_similar_labels

BLOCK_BYTES: Final = 2**24
"""Bytes of a column read at once."""

MAX_NAME_LENGTH: Final = 200
"""Most characters of a label."""

_SEEMS_MISSING: Final = ("nan", "NaN", "None", "null")

_LARGEST_EXACT: Final = 2.0**53


class DamagedError(Exception):
    """The values of a column are not what its header declares."""


class Column(Protocol):
    """An array in a file, with rows along the first axis."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape that the file declares."""

    @property
    def dtype(self) -> np.dtype:
        """Type that the file declares."""

    @property
    def stored(self) -> int:
        """Number of bytes in the file."""

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows in order, in blocks of a moderate size.

        Raises:
            DamagedError: the values are not there as declared.
        """


@dataclass(frozen=True)
class InMemoryColumn:
    """A column whose values are in memory."""

    values: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self.values.dtype

    @property
    def stored(self) -> int:
        """Number of bytes of the values."""
        return self.values.nbytes

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows as one block."""
        yield self.values


def rows_per_block(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Return the number of rows in a block."""
    return max(1, BLOCK_BYTES // max(1, prod(shape[1:]) * dtype.itemsize))


def read_all(column: Column) -> np.ndarray:
    """Return all values of a small column.

    Raises:
        DamagedError: the values are not there as declared.
    """
    blocks = list(column.blocks())
    return np.concatenate(blocks) if blocks else np.zeros(column.shape, dtype=column.dtype)


def check_readable(name: str, column: Column, limits: Limits, findings: Findings) -> bool:
    """Return whether the values of a column may be read; add a problem if not.

    A declared size beyond the limit is accepted where the file really holds that many bytes: it is
    then no decompression bomb, and it is read in blocks.
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


class CodedLabels(NamedTuple):
    """Labels of rows as codes, with the names of the classes."""

    codes: np.ndarray
    """[N] int64 indices into `names`; -1 for a row without a valid label."""
    names: tuple[str, ...]
    """Names of the classes, sorted: numbers by value, words by letter."""


def read_labels(
    name: str, column: Column, findings: Findings, *, background: bool = False
) -> CodedLabels:
    """Read labels: numbers or words [N], rows with one class marked [N, C], or such marks for each
    second [N, T, C].

    Args:
        name: name of the column in problems.
        column: the labels.
        findings: collects rows without a label.
        background: whether the last of the C classes means "none of them", as in AVE.
    """
    try:
        values = read_all(column)
    except DamagedError as error:
        findings.add(name, str(error))
        return CodedLabels(np.zeros(0, dtype=np.int64), ())
    if values.ndim == 2 and 1 in values.shape:  # MATLAB has no vectors
        values = values.ravel()
    if values.ndim == 1:
        return code_labels(name, values, findings)
    if values.ndim in (2, 3) and values.dtype.kind in "fiub":
        return _code_marks(name, values, findings, background=background)
    findings.add(
        name,
        f"has shape {values.shape}; needs a number or a word for each row, or marks [N, C]",
    )
    return CodedLabels(np.zeros(0, dtype=np.int64), ())


def code_labels(name: str, values: np.ndarray, findings: Findings) -> CodedLabels:
    """Turn labels that are numbers or words [N] into codes."""
    missing = np.zeros(len(values), dtype=bool)
    if values.dtype.kind in "US":
        written = decoded(values)
        values = as_words(values)
        missing = values == ""
        warn_of_similar_labels(name, written, values, findings)
    elif values.dtype.kind == "f":
        missing = np.isnan(values)
        bad = ~missing & ((values != np.floor(values)) | (np.abs(values) > _LARGEST_EXACT))
        for row in np.flatnonzero(bad):
            findings.add(f"row {row}, {name}", f"is {values[row]}; needs a whole number or a word")
        missing_or_bad = missing | bad
        values = np.where(missing_or_bad, 0, values).astype(np.int64)
        return _code_values(name, values, missing, missing_or_bad, findings)
    return _code_values(name, values, missing, missing, findings)


def as_words(values: np.ndarray) -> np.ndarray:
    """Return words, or numbers [N] as words, without blanks around them, empty for NaN; bytes are
    read as UTF-8."""
    if values.dtype.kind == "S":
        values = decoded(values)
    elif values.dtype.kind == "f":
        missing = np.isnan(values)
        known = values[~missing]
        if (known == np.floor(known)).all():
            known = known.astype(np.int64)  # MATLAB's whole numbers are floats
        words = np.full(len(values), "", dtype=f"<U{MAX_NAME_LENGTH}")
        words[~missing] = known.astype(np.str_)
        values = words
    return np.char.strip(values.astype(np.str_))


def decoded(values: np.ndarray) -> np.ndarray:
    """Return words as they are written; bytes are read as UTF-8."""
    return np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values


def _code_values(
    name: str, values: np.ndarray, missing: np.ndarray, unusable: np.ndarray, findings: Findings
) -> CodedLabels:
    for row in np.flatnonzero(missing):
        findings.add(f"row {row}, {name}", "is missing; every row needs one")
    known, places = np.unique(values[~unusable], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[~unusable] = places
    names = tuple(str(value) for value in known.tolist())
    for one in names:
        if len(one) > MAX_NAME_LENGTH:
            findings.add(
                name, f"has a word of {len(one):,} characters; {MAX_NAME_LENGTH} are the most"
            )
        elif one in _SEEMS_MISSING:
            findings.warn(name, f"has a class named {one!r}; is it a missing label saved as text?")
    return CodedLabels(codes, names)


def _code_marks(
    name: str, values: np.ndarray, findings: Findings, *, background: bool
) -> CodedLabels:
    """Turn rows of marks into codes: the class with the highest mark, of several seconds the class
    of most of them."""
    marks = values.astype(np.float64)
    if marks.ndim == 3:
        findings.warn(
            name,
            f"each row has the class of most of its {marks.shape[1]} parts"
            + (", background apart" if background else ""),
        )
        marks = marks.sum(axis=1)
        one_only = np.ones(len(marks), dtype=bool)
    else:
        one_only = (np.isin(marks, (0, 1))).all(axis=1) & (marks.sum(axis=1) <= 1)
    if background:
        marks = marks[:, :-1]
    if not marks.shape[1]:
        findings.add(name, "has no class")
        return CodedLabels(np.full(len(marks), -1, dtype=np.int64), ())
    finite = np.isfinite(marks).all(axis=1)
    marks = np.where(np.isfinite(marks), marks, 0)
    for row in np.flatnonzero(~one_only & finite):
        findings.add(f"row {row}, {name}", "marks no single class with 1 and the others with 0")
    none = ~finite | (marks.max(axis=1) <= 0)
    for row in np.flatnonzero(none):
        findings.add(f"row {row}, {name}", "is missing; every row needs one class marked")
    # Classes without rows are left out, so that every code is an index of a class that has rows.
    places = np.where(none, -1, marks.argmax(axis=1))
    known = np.unique(places[~none])
    return CodedLabels(
        np.where(none, -1, np.searchsorted(known, places)).astype(np.int64),
        tuple(str(place) for place in known),
    )
