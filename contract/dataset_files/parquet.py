"""Columns of a Parquet file; a matrix is a column for each feature, or one column of lists."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contract.dataset_files.columns import (
    MAX_NAME_LENGTH,
    Column,
    DamagedError,
    InMemoryColumn,
    rows_per_block,
)
from contract.dataset_files.problems import Findings, Limits

ARROW_ERRORS: Final = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises for damaged files."""

_ROWS_AT_ONCE: Final = 65_536

_DTYPE: Final = np.dtype(np.float64)

_ITEM: Final = _DTYPE.itemsize

Letters: TypeAlias = Mapping[str, str]
"""Name of a matrix -> letter of its columns, for example `features` -> `f` for f0, f1, ..."""


@dataclass(frozen=True)
class ParquetMatrix:
    """A matrix of features: several columns of numbers, or one column of lists of equal length."""

    file: pq.ParquetFile
    name: str
    names: tuple[str, ...]
    """Names of the columns, or of the single column of lists."""
    width: int
    lists: bool
    stored: int
    findings: Findings
    dtype: np.dtype = _DTYPE

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of values in each row."""
        return self.file.metadata.num_rows, self.width

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows in order; missing values are NaN, lists of another length are problems."""
        start = 0
        try:
            for batch in self.file.iter_batches(
                batch_size=rows_per_block(self.shape, self.dtype), columns=list(self.names)
            ):
                if self.lists:
                    yield self._lists(batch.column(0), start)
                else:
                    yield np.column_stack([as_numbers(column) for column in batch.columns])
                start += batch.num_rows
        except ARROW_ERRORS as error:
            raise DamagedError(f"is damaged ({error}); save it anew") from error

    def _lists(self, lists: pa.Array, start: int) -> np.ndarray:
        lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy())
        right = lengths == self.width
        for row in np.flatnonzero(~right):
            self.findings.add(
                f"row {start + row}, {self.name}",
                f"has {lengths[row]} values; the first row has {self.width}, all need as many",
            )
        block = np.zeros((len(lists), self.width))
        block[right] = as_numbers(pc.list_flatten(lists.filter(pa.array(right)))).reshape(
            -1, self.width
        )
        return block


def open_parquet(path: Path, name: str, findings: Findings) -> pq.ParquetFile:
    """Open a file with its columns of words as dictionaries, so that a long word is stored once.

    Args:
        path: to read it by.
        name: its name in problems.
        findings: collects them.

    Raises:
        IntakeError: it is damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            words = [field.name for field in file.schema_arrow if is_words(field.type)]
        return pq.ParquetFile(path, read_dictionary=words)
    except ARROW_ERRORS as error:
        seen = str(error).replace(str(path), name)
        raise findings.refuse(
            name, f"is no complete Parquet file ({seen}); save it anew"
        ) from error


def parquet_columns(
    file: pq.ParquetFile,
    letters: Letters,
    wanted: tuple[str, ...],
    limits: Limits,
    findings: Findings,
) -> dict[str, Column]:
    """Return the matrices, joined from their columns, and the other columns with these names."""
    schema = file.schema_arrow
    columns: dict[str, Column] = {}
    used: set[str] = set()
    for name, letter in letters.items():
        names = _numbered_columns(letter, schema.names)
        if matrix := _matrix(file, name, names, limits, findings):
            columns[name] = matrix
            used |= {name, *names}
    for name in schema.names:
        if name in used:
            continue
        if name not in wanted:
            findings.ignore_column(name)
        elif name not in letters and (held := read_values(file, name, findings)) is not None:
            columns[name] = InMemoryColumn(held)
    return columns


def _numbered_columns(letter: str, names: list[str]) -> tuple[str, ...]:
    """Return the columns of a matrix in the order of their numbers."""
    found = {int(name[1:]): name for name in names if re.fullmatch(rf"{letter}[0-9]{{1,9}}", name)}
    return tuple(found[number] for number in sorted(found))


def _matrix(
    file: pq.ParquetFile,
    name: str,
    names: tuple[str, ...],
    limits: Limits,
    findings: Findings,
) -> ParquetMatrix | None:
    """Return the matrix of that name or of these columns, if its types and size are right."""
    schema, lists = file.schema_arrow, name in file.schema_arrow.names
    if lists:
        names = (name,)
    wrong = [one for one in names if not (is_list if lists else is_number)(schema.field(one).type)]
    for one in wrong:
        needed = "a list of numbers in each row" if lists else "numbers"
        findings.add(one, f"holds {schema.field(one).type}; needs {needed}")
    chunks = _chunks(file, set(names))
    if sum(chunk.num_values for chunk in chunks) * _ITEM > limits.max_bytes:
        findings.add(name, f"takes more than {limits.max_bytes:,} bytes; bring fewer rows")
    elif names and not wrong:
        width = _first_length(file, name, findings) if lists else len(names)
        stored = sum(chunk.total_compressed_size for chunk in chunks)
        return ParquetMatrix(file, name, names, width, lists, stored, findings)
    return None


def _chunks(file: pq.ParquetFile, names: set[str]) -> list[pq.ColumnChunkMetaData]:
    """Return the chunks of the file that hold the values of these columns."""
    groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
    chunks = chain.from_iterable(
        (group.column(i) for i in range(group.num_columns)) for group in groups
    )
    return [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] in names]


def _first_length(file: pq.ParquetFile, name: str, findings: Findings) -> int:
    try:
        batch = next(file.iter_batches(batch_size=1, columns=[name]), None)
    except ARROW_ERRORS as error:
        findings.add(name, f"is damaged ({error}); save it anew")
        return 0
    return 0 if batch is None or not batch.num_rows else len(batch.column(0)[0].as_py() or [])


def read_values(file: pq.ParquetFile, name: str, findings: Findings) -> np.ndarray | None:
    """Read a column of labels or names, with an empty word or NaN for missing ones.

    None with a problem added if the values are neither numbers nor words, or are damaged; a problem
    is also added for words that are too long.
    """
    kind = file.schema_arrow.field(name).type
    parts = []
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[name]):
            column = batch.column(0)
            if isinstance(column, pa.DictionaryArray) and is_words(column.dictionary.type):
                parts.append(_read_words(column, name, findings))
                continue
            if isinstance(column, pa.DictionaryArray):
                column = column.dictionary_decode()
            if not is_number(column.type) and not pa.types.is_boolean(column.type):
                findings.add(name, f"holds {kind}; needs whole numbers or words")
                return None
            parts.append(as_numbers(column))
    except ARROW_ERRORS as error:
        findings.add(name, f"is damaged ({error}); save it anew")
        return None
    return np.concatenate(parts) if parts else np.zeros(0)


def _read_words(column: pa.DictionaryArray, name: str, findings: Findings) -> np.ndarray:
    words = [word or "" for word in column.dictionary.to_pylist()]
    longest = max(map(len, words), default=0)
    if longest > MAX_NAME_LENGTH:
        findings.add(name, f"has a word of {longest:,} letters; {MAX_NAME_LENGTH} are the most")
    known = np.array([*(word[:MAX_NAME_LENGTH] for word in words), ""], dtype=np.str_)
    chosen: np.ndarray = known[np.asarray(column.indices.fill_null(len(words)))]
    return chosen


def as_numbers(column: pa.Array) -> np.ndarray:
    """Return numbers or truth values as an array, with NaN for missing ones."""
    if column.null_count:
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def is_number(kind: pa.DataType) -> bool:
    """Return whether values are numbers that numpy has a type for."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_list(kind: pa.DataType) -> bool:
    """Return whether values are lists of numbers."""
    types = pa.types
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists and is_number(kind.value_type))


def is_words(kind: pa.DataType) -> bool:
    """Return whether values are words."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
