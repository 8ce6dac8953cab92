"""Tables in Arrow's memory format, batch by batch: Parquet and CSV files.

A matrix is a column for each feature, or one column of lists.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.dataset_files.array_source import EXAMPLES, example_text
from contract.dataset_files.arrow_types import (
    as_dictionary,
    as_numbers,
    is_label,
    is_list,
    is_number,
    is_words,
    list_depth,
    type_text,
)
from contract.dataset_files.columns import (
    MAX_NAME_LENGTH,
    Column,
    DamagedError,
    InMemoryColumn,
    rows_per_block,
)
from contract.dataset_files.layout import Holds, Layout, SeenArray
from contract.dataset_files.problems import Findings, Limits

ARROW_ERRORS: Final = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises for damaged files."""
_ROWS_AT_ONCE: Final = 65_536
_FIRST_ROWS: Final = 100
"""Rows among which the first that is not missing shows the length of all lists."""
_DTYPE: Final = np.dtype(np.float64)
_ITEM: Final = _DTYPE.itemsize


class ArrowFile(Protocol):
    """An open file that gives batches of rows."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    def batches(
        self, names: Sequence[str], rows: int, *, floats: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns in batches of at most so many rows.

        Args:
            names: of the columns.
            rows: at most in a batch.
            floats: whether a file of text has its numbers read as floats.

        Raises:
            ArrowException, OSError, ValueError: the file is damaged.
        """

    def words_among_numbers(self, name: str) -> list[tuple[int, str]]:
        """Return row and text of what is no number, in a column of numbers of a file of text.

        Raises:
            ArrowException, OSError, ValueError: the file is damaged.
        """

    def values(self, names: Sequence[str]) -> int:
        """Return the number of values in columns, of lists their elements."""

    def stored(self, names: Sequence[str]) -> int:
        """Return how many bytes of the file columns take."""


@dataclass(frozen=True)
class ArrowMatrix:
    """A matrix of features: several columns of numbers, or one column of lists of equal length."""

    file: ArrowFile
    name: str
    names: tuple[str, ...]
    """Names of the columns, or of the single column of lists."""
    sizes: tuple[int, ...]
    """Lengths of the lists, and of the lists in them; or the number of columns."""
    lists: bool
    stored: int
    findings: Findings
    dtype: np.dtype = _DTYPE

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of values in each row."""
        return self.file.rows, *self.sizes

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows in order; missing values are NaN, lists of another length are problems."""
        start = 0
        with damage():
            at_once = rows_per_block(self.shape, self.dtype)
            for batch in self.file.batches(self.names, at_once, floats=not self.lists):
                if self.lists:
                    yield self._lists(batch.column(0), start)
                else:
                    yield np.column_stack([as_numbers(column) for column in batch.columns])
                start += batch.num_rows

    def _lists(self, lists: pa.Array, start: int) -> np.ndarray:
        """Return the values of lists; rows with lists of another length are zero, and problems."""
        block = np.zeros((len(lists), *self.sizes))
        rows = np.arange(len(lists))
        for depth, size in enumerate(self.sizes):
            inner = _flat(lists, depth)
            each = np.asarray(pc.fill_null(pc.list_value_length(inner), 0).to_numpy())
            each = each.reshape(len(rows), -1)
            right = (each == size).all(axis=1)
            for row in np.flatnonzero(~right):
                has = each[row][each[row] != size][0]
                self.findings.add(
                    f"row {start + rows[row]}, {self.name}",
                    f"has {has} values, others have {size}; all rows need as many",
                )
            rows, lists = rows[right], lists.filter(pa.array(right))
        values = as_numbers(_flat(lists, len(self.sizes)))
        block[rows] = values.reshape(len(rows), *self.sizes)
        return block


@dataclass(frozen=True)
class ArrowSource:
    """An open table."""

    file: ArrowFile
    numbered: bool = True

    @property
    def names(self) -> Sequence[str]:
        """Names of all columns."""
        names: list[str] = self.file.schema.names
        return names

    def look(self) -> list[SeenArray]:
        """Return what each column holds."""
        schema = self.file.schema
        batch = None
        readable = [field.name for field in schema if _holds(field.type) != "nothing"]
        try:
            with damage():
                batch = next(self.file.batches(readable, EXAMPLES), None)
        except DamagedError:
            pass  # the columns are shown without examples; reading them tells what is damaged
        return [
            SeenArray(
                field.name,
                type_text(field.type),
                _holds(field.type),
                _examples(batch.column(field.name)) if batch and field.name in readable else (),
            )
            for field in schema
        ]

    def columns(self, layout: Layout, limits: Limits, findings: Findings) -> dict[str, Column]:
        """Return the columns of a layout, matrices joined from their columns."""
        columns: dict[str, Column] = {}
        for role, names in layout.matrices.items():
            key = layout.key(role)
            if matrix := self._matrix(key, names, limits, findings):
                columns[key] = matrix
        for name in layout.others:
            if (held := read_values(self.file, name, findings)) is not None:
                columns[name] = InMemoryColumn(held)
        return columns

    def _matrix(
        self, key: str, names: tuple[str, ...], limits: Limits, findings: Findings
    ) -> ArrowMatrix | None:
        """Return the matrix of these columns, if their types and size are right."""
        schema = self.file.schema
        lists = len(names) == 1 and not is_number(schema.field(names[0]).type)
        wrong = [
            one for one in names if not (is_list if lists else is_number)(schema.field(one).type)
        ]
        for one in wrong:
            try:
                with damage():
                    odd = self.file.words_among_numbers(one)
            except DamagedError as error:
                findings.add(one, str(error))
                continue
            for row, text in odd:
                findings.add(f"row {row}, column {one}", f"is {text[:40]!r}; needs a number")
            if odd:
                continue
            needed = "a list of numbers in each row" if lists else "numbers"
            findings.add(one, f"holds {type_text(schema.field(one).type)}; needs {needed}")
        if not names or wrong:
            return None
        if self.file.values(names) * _ITEM > limits.max_bytes:
            findings.add(key, f"takes more than {limits.max_bytes:,} bytes; bring fewer rows")
            return None
        sizes: tuple[int, ...] = (len(names),)
        if lists:
            sizes = _first_lengths(self.file, names[0], findings)
        return ArrowMatrix(self.file, key, names, sizes, lists, self.file.stored(names), findings)


@contextmanager
def damage() -> Iterator[None]:
    """Turn what pyarrow raises into the error of a damaged column.

    Raises:
        DamagedError: the file is damaged.
    """
    try:
        yield
    except MemoryError:
        raise
    except ARROW_ERRORS as error:
        raise DamagedError(f"is damaged ({error}); save it again") from error


def read_values(file: ArrowFile, name: str, findings: Findings) -> np.ndarray | None:
    """Read a column of labels or names, with an empty word or NaN for missing ones.

    None with a problem added if the values are neither numbers nor words, or are damaged; a problem
    is also added for words that are too long.
    """
    kind = file.schema.field(name).type
    if not is_label(kind):
        findings.add(name, f"holds {type_text(kind)}; needs whole numbers or words")
        return None
    parts = []
    try:
        with damage():
            for batch in file.batches([name], _ROWS_AT_ONCE):
                column = batch.column(0)
                held = column.dictionary if isinstance(column, pa.DictionaryArray) else column
                if is_words(held.type):
                    parts.append(_read_words(as_dictionary(column), name, findings))
                elif isinstance(column, pa.DictionaryArray):
                    parts.append(as_numbers(column.dictionary_decode()))
                else:
                    parts.append(as_numbers(column))
    except DamagedError as error:
        findings.add(name, str(error))
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


def _first_lengths(file: ArrowFile, name: str, findings: Findings) -> tuple[int, ...]:
    """Return the lengths of the first lists that are not missing, from the outer to the inner."""
    depth = list_depth(file.schema.field(name).type)
    try:
        with damage():
            batch = next(file.batches([name], _FIRST_ROWS), None)
    except DamagedError as error:
        findings.add(name, str(error))
        batch = None
    lists = batch.column(0) if batch is not None else []
    value = next((one.as_py() for one in lists if one.is_valid and len(one.values or ())), None)
    sizes = []
    for _ in range(depth):
        sizes.append(len(value) if isinstance(value, list) else 0)
        value = next((one for one in value or [] if one is not None), None)
    return tuple(sizes)


def _flat(lists: pa.Array, times: int) -> pa.Array:
    for _ in range(times):
        lists = pc.list_flatten(lists)
    return lists


def _holds(kind: pa.DataType) -> Holds:
    if is_list(kind):
        return "matrix"
    if pa.types.is_dictionary(kind):
        return "words"
    if is_number(kind) or pa.types.is_boolean(kind):
        return "numbers"
    return "words" if is_words(kind) else "nothing"


def _examples(column: pa.Array) -> tuple[str, ...]:
    values = column.slice(0, EXAMPLES).to_pylist()
    if is_list(column.type):
        inner: list[object] = next((value for value in values if value), [])
        while inner and isinstance(inner[0], list):
            inner = inner[0]
        return (f"{', '.join(example_text(value) for value in inner[:EXAMPLES])}, …",)
    return tuple(example_text(value) for value in values)
