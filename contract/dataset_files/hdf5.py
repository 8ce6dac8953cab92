"""Columns of an HDF5 file, or of a MATLAB file of version 7.3, which is one too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

import h5py
import numpy as np

from contract.dataset_files.array_source import ArraySource
from contract.dataset_files.columns import (
    MAX_NAME_LENGTH,
    Column,
    DamagedError,
    InMemoryColumn,
    rows_per_block,
)
from contract.dataset_files.problems import Findings

_MAX_CHUNK_BYTES: Final = 2**28
"""Most bytes of a chunk, which is in memory as a whole to read any of its values."""
_WORDS_AT_ONCE: Final = 256
_H5_ERRORS: Final = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)
"""What h5py raises for damaged files."""


@dataclass(frozen=True)
class H5Column:
    """One dataset of an HDF5 file, read slice by slice."""

    dataset: h5py.Dataset
    shape: tuple[int, ...]
    """Shape with the rows first."""
    dtype: np.dtype
    stored: int
    reversed: bool
    """Whether the file has its axes in reverse order, as MATLAB writes them."""

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows in order."""
        at_once = rows_per_block(self.shape, self.dtype)
        try:
            for start in range(0, self.shape[0], at_once):
                rows = slice(start, start + at_once)
                yield self.dataset[..., rows].T if self.reversed else self.dataset[rows]
        except _H5_ERRORS as error:
            raise DamagedError(f"is damaged ({error}); save it again") from error


def open_h5(path: Path, name: str, findings: Findings) -> h5py.File:
    """Open a file for reading.

    Args:
        path: to read it by.
        name: its name in problems.
        findings: collects them.

    Raises:
        IntakeError: it is damaged.
    """
    try:
        return h5py.File(path, "r")
    except _H5_ERRORS as error:
        seen = str(error).replace(str(path), name)
        raise findings.refuse(
            name, f"is not a complete HDF5 file ({seen}); save it again"
        ) from error


def h5_source(opened: h5py.File, findings: Findings) -> ArraySource:
    """Return the arrays at the top of an open file.

    Raises:
        IntakeError: it is damaged.
    """
    names = h5_names(opened, findings)
    return ArraySource(names, lambda wanted, into: h5_columns(opened, wanted, into))


def h5_names(opened: h5py.File, findings: Findings) -> list[str]:
    """Return the names at the top of the file.

    Raises:
        IntakeError: it is damaged.
    """
    try:
        # A damaged name that is no UTF-8 comes as bytes; no column has the name it decodes to.
        return [one if isinstance(one, str) else one.decode(errors="replace") for one in opened]
    except _H5_ERRORS as error:
        raise findings.refuse("", f"is damaged ({error}); save it again") from error


def h5_columns(opened: h5py.File, wanted: Sequence[str], findings: Findings) -> dict[str, Column]:
    """Return the datasets with these names at the top of the file.

    Problems are added for entries that are no dataset, are damaged, or have their values in other
    files, which could be any file of this machine.
    """
    columns: dict[str, Column] = {}
    for name in wanted:
        try:
            if column := _column(opened, name, findings):
                columns[name] = column
        except _H5_ERRORS as error:
            findings.add(name, f"is damaged ({error}); save it again")
    return columns


def _column(opened: h5py.File, name: str, findings: Findings) -> Column | None:
    if not isinstance(opened.get(name, getlink=True), h5py.HardLink):
        findings.add(name, "is a link; store the values themselves")
        return None
    dataset = opened[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        findings.add(name, "is not an array; store one dataset of this name")
        return None
    if dataset.external or dataset.is_virtual:
        findings.add(name, "has its values in another file; store them in this one")
        return None
    if h5py.check_string_dtype(dataset.dtype) is not None and dataset.ndim == 1:
        return _read_words(dataset, opened.id.get_filesize(), name, findings)
    if prod(dataset.chunks or (0,)) * dataset.dtype.itemsize > _MAX_CHUNK_BYTES:
        findings.add(
            name, f"has chunks of more than {_MAX_CHUNK_BYTES:,} bytes; store smaller ones"
        )
        return None
    turned = "MATLAB_class" in dataset.attrs
    return H5Column(
        dataset,
        dataset.shape[::-1] if turned else dataset.shape,
        dataset.dtype,
        # A dataset without chunks reports the size that it declares, so the file's size is a bound.
        min(dataset.id.get_storage_size(), opened.id.get_filesize()),
        turned,
    )


def _read_words(
    dataset: h5py.Dataset, file_size: int, name: str, findings: Findings
) -> Column | None:
    """Read words a few at a time, because their lengths are not known in advance."""
    if len(dataset) > file_size:
        findings.add(name, f"declares {len(dataset):,} words in a file of {file_size:,} bytes")
        return None
    words: list[str] = []
    for start in range(0, len(dataset), _WORDS_AT_ONCE):
        block = dataset.asstr(errors="replace")[start : start + _WORDS_AT_ONCE]
        words += [str(word) for word in block]
        longest = max(map(len, words[start:]))
        if longest > MAX_NAME_LENGTH:
            findings.add(name, f"has a word of {longest:,} letters; {MAX_NAME_LENGTH} are the most")
            return None
    return InMemoryColumn(np.array(words, dtype=np.str_))
