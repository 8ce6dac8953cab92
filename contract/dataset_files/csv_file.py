"""CSV files: a line of names, then rows; comma, semicolon, tab or bar between the values."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow_csv

from contract.dataset_files.arrow_source import ARROW_ERRORS
from contract.dataset_files.arrow_types import is_number
from contract.dataset_files.parquet import refuse_twice
from contract.dataset_files.problems import Findings, Limits

_BLOCK: Final = 2**24
"""Bytes that are parsed at once; the types of the columns are those of the first block."""
_START: Final = 2**20
"""Bytes in which the first lines have to be."""
_DELIMITERS: Final = ",;\t|"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AS_UTF8: Final = "save it as UTF-8 (in Excel: 'CSV UTF-8')"
_NUMBER: Final = re.compile(r"[-+]?[0-9.,]+([eE][-+]?[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"[-+]?[0-9]+,[0-9]+")


class _Form(NamedTuple):
    """How the values of a file are written."""

    delimiter: str
    decimal_point: str


@dataclass(frozen=True)
class CsvFile:
    """A CSV file, parsed from its beginning whenever columns are read."""

    path: Path
    form: _Form
    schema: pa.Schema
    rows: int

    def batches(
        self, names: Sequence[str], rows: int, *, floats: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns in batches of at most so many rows."""
        types = {name: pa.float64() if floats else self.schema.field(name).type for name in names}
        with _opened(self.path, self.form, types) as reader:
            for batch in reader:
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)

    def values(self, names: Sequence[str]) -> int:
        """Return the number of values in columns."""
        return self.rows * len(names)

    def stored(self, names: Sequence[str]) -> int:
        """Return the bytes of the file, as no column has a place of its own."""
        del names
        return self.path.stat().st_size

    def words_among_numbers(self, name: str) -> list[tuple[int, str]]:
        """Return row and text of what is no number; none if most values are none."""
        found: list[tuple[int, str]] = []
        row = 0
        with _opened(self.path, self.form, {name: pa.string()}) as reader:
            for batch in reader:
                for text in batch.column(0).to_pylist():
                    if text and not _NUMBER.fullmatch(text.strip()):
                        found.append((row, text))
                    row += 1
        return found if 2 * len(found) < row else []


def seems_csv(start: bytes) -> bool:
    """Return whether a file's first bytes are text with a delimiter in the first line."""
    if start.startswith(_UTF16):
        return True
    line = start.removeprefix(codecs.BOM_UTF8).splitlines()[:1]
    return (
        bool(line)
        and b"\0" not in start
        and line[0][:1] not in (b"{", b"[", b"<", b"%")
        and any(sign.encode() in line[0] for sign in _DELIMITERS)
    )


def open_csv(path: Path, limits: Limits, findings: Findings) -> CsvFile:
    """Find out how a file is written, the types of its columns and the number of its rows.

    Dates are words. Rows with too few or too many values are problems.

    Raises:
        IntakeError: it is no table that can be read.
    """
    names, form = _first_lines(path, limits, findings)
    refuse_twice(names, findings)
    try:
        with _opened(path, form, {}) as reader:
            inferred = reader.schema
        schema = pa.schema([(field.name, _column_type(field.type)) for field in inferred])
        rows = _count_rows(path, form, names, findings)
    except MemoryError:
        raise
    except ARROW_ERRORS as error:
        raise findings.refuse("", f"is not a CSV file that can be read: {error}") from error
    findings.raise_if_any()
    return CsvFile(path, form, schema, rows)


def _first_lines(path: Path, limits: Limits, findings: Findings) -> tuple[list[str], _Form]:
    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(_UTF16):
        raise findings.refuse("", f"is CSV in UTF-16, which is not read; {_SAVE_AS_UTF8}")
    _check_utf8(path, findings)
    lines = start.removeprefix(codecs.BOM_UTF8).splitlines()
    header = lines[0].decode("utf-8", "replace")  # of a long line the end may be cut off
    if len(start) == _START and len(lines) == 1:
        raise findings.refuse("", f"has a first line of more than {_START:,} bytes")
    unquoted = re.sub(r'"[^"]*"', "", header)
    delimiter = max(_DELIMITERS, key=unquoted.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    if len(names) > limits.max_columns:
        raise findings.refuse(
            "", f"has {len(names):,} columns; {limits.max_columns:,} are the most"
        )
    if names and all(_NUMBER.fullmatch(name.strip()) for name in names):
        raise findings.refuse(
            "",
            "has numbers in its first line; put a line of names above it, such as "
            f"{delimiter.join(('f0', 'f1', '…', 'label'))}",
        )
    second = lines[1].decode("utf-8", "replace").split(delimiter) if len(lines) > 1 else []
    comma = delimiter != "," and any(
        _DECIMAL_COMMA.fullmatch(value.strip().strip('"')) for value in second
    )
    return names, _Form(delimiter, "," if comma else ".")


def _check_utf8(path: Path, findings: Findings) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while block := file.read(_START):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                raise findings.refuse(f"line {line:,}", f"is not UTF-8; {_SAVE_AS_UTF8}") from None
            line += block.count(b"\n")


def _opened(
    path: Path,
    form: _Form,
    types: Mapping[str, pa.DataType],
    odd_rows: Callable[[arrow_csv.InvalidRow], str] = lambda _: "skip",
) -> arrow_csv.CSVStreamingReader:
    """Start to read the columns with these types; all columns, with inferred types, if none.

    Rows with too few or too many values are left out: where there are some, they have been reported
    when the rows were counted.
    """
    return arrow_csv.open_csv(
        # An open file, as Arrow would unpack one by the ending of its path.
        pa.OSFile(str(path)),
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=form.delimiter, newlines_in_values=True, invalid_row_handler=odd_rows
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict(types),
            include_columns=list(types) or None,
            decimal_point=form.decimal_point,
        ),
    )


def _column_type(inferred: pa.DataType) -> pa.DataType:
    """Return the type to read a column with: numbers, truth values, or all else as words."""
    if is_number(inferred) or pa.types.is_boolean(inferred):
        return inferred
    return pa.float64() if pa.types.is_null(inferred) else pa.string()


def _count_rows(path: Path, form: _Form, names: Sequence[str], findings: Findings) -> int:
    """Count the rows, and add a problem for each that has too few or too many values."""

    def note(row: arrow_csv.InvalidRow) -> str:
        place = f"row {row.number - 2}" if row.number else "a row"
        findings.add(
            place, f"has {row.actual_columns} values; the first line has {row.expected_columns}"
        )
        return "skip"

    with _opened(path, form, {names[0]: pa.string()}, note) as reader:
        return sum(batch.num_rows for batch in reader)
