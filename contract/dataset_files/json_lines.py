"""JSON lines: an object in each line, whose keys are the columns of a table."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from contract.dataset_files.problems import Findings, Limits

MAX_LINE: Final = 2**24
"""Bytes of a line; a longer one is not parsed."""
_LARGEST_INTEGER: Final = 2**63
_SHOWN: Final = 40
"""Characters of a key that a problem shows."""


@dataclass(frozen=True)
class JsonLines:
    """A file of JSON lines, in memory as a table."""

    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns; one of lists or objects has a type without values."""
        return self.table.schema

    @property
    def rows(self) -> int:
        """Number of rows."""
        rows: int = self.table.num_rows
        return rows

    def batches(
        self, names: Sequence[str], rows: int, *, floats: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns in batches of at most so many rows."""
        del floats
        yield from self.table.select(list(names)).to_batches(max_chunksize=rows)

    def words_among_numbers(self, name: str) -> list[tuple[int, str]]:
        """Return nothing: the file says of each value whether it is a number."""
        del name
        return []

    def values(self, names: Sequence[str]) -> int:
        """Return the number of values in columns."""
        return self.rows * len(names)

    def stored(self, names: Sequence[str]) -> int:
        """Return how many bytes columns take."""
        return sum(int(self.table.column(name).nbytes) for name in names)


def open_json_lines(path: Path, limits: Limits, findings: Findings) -> JsonLines:
    """Read all lines; what is no object in a line of its own is a problem of that row.

    Raises:
        IntakeError: with every problem found.
    """
    columns: dict[str, list[Any]] = {}
    rows = 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b"")):
            if not line.strip():
                continue
            if number == 0 and line.lstrip(b"\xef\xbb\xbf \t").startswith(b"["):
                raise findings.refuse(
                    "", "is one JSON array; write its objects one a line: jq -c '.[]' file"
                )
            if len(line) > MAX_LINE:
                message = f"is longer than {MAX_LINE:,} bytes; bring shorter texts"
                raise findings.refuse(f"row {rows}", message)
            if found := _object(line, rows, findings):
                for key, value in found.items():
                    # Rows before the first one with this key have no value.
                    columns.setdefault(key, [None] * rows).append(value)
                if len(columns) > limits.max_columns:
                    raise findings.refuse("", f"has more than {limits.max_columns:,} keys")
            rows += 1
            for values in columns.values():
                if len(values) < rows:
                    values.append(None)
    findings.raise_if_any()
    return JsonLines(pa.table({name: _array(values) for name, values in columns.items()}))


def _object(line: bytes, row: int, findings: Findings) -> dict[str, Any]:
    """Return the object in a line; none, with a problem added, if it holds something else."""
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        findings.add(f"row {row}", "is not UTF-8; save the file as UTF-8")
        return {}
    except (ValueError, RecursionError) as error:
        findings.add(f"row {row}", f"is not JSON in one line: {str(error)[:100]}")
        return {}
    if not isinstance(found, dict):
        findings.add(f"row {row}", 'is no object; write {"text": …, "label": …} in each line')
        return {}
    if bad := [key for key, value in found.items() if _is_half(key) or _is_half(value)]:
        shown = ascii(bad[0][:_SHOWN])
        findings.add(f"row {row}, {shown}", "holds half of a character (a lone surrogate)")
        return {}
    return found


def _is_half(value: object) -> bool:
    """Return whether a text cannot be written as UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def _array(values: list[Any]) -> pa.Array:
    """Return values as a column: of truth values, of numbers, or else of words; of lists and
    objects only that they are there."""
    kinds = {type(value) for value in values if value is not None}
    if kinds & {list, dict}:
        return pa.nulls(len(values), pa.struct([]))
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(value is None or abs(value) < _LARGEST_INTEGER for value in values):
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())
