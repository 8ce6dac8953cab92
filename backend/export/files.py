"""Write tables to files, as CSV or as Parquet, and name downloaded files safely."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from backend.export.table import Kind, Row, Table

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet would calculate, or split, a text cell that starts with one of these."""

MIN_GROUP_ROWS: Final = 131_072
"""Rows of a Parquet row group at least; the last one may have fewer."""

MAX_NAME_LENGTH: Final = 80
"""Characters of a comparison's name that the name of its file keeps."""

_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that control or hide."""
_ARROW: Final[dict[Kind, Any]] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "truth": pa.bool_(),
}


def write_csv(table: Table, file: IO[bytes]) -> None:
    """Write a header and a line for each row, in UTF-8; None becomes an empty cell.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    lines = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(lines)
    writer.writerow(table.columns)
    texts = [place for place, kind in enumerate(table.columns.values()) if kind == "text"]
    truths = [place for place, kind in enumerate(table.columns.values()) if kind == "truth"]
    for batch in table.batches:
        writer.writerows(_cells(batch, texts, truths))
    lines.detach()


def write_parquet(table: Table, file: IO[bytes]) -> None:
    """Write typed columns in row groups; None becomes null."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in table.columns.items()])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(table.batches):
            columns = zip(*rows, strict=True) if rows else [()] * len(schema)
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=len(rows) or 1)


def escape_formula(text: str) -> str:
    """Return the text with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def file_name(name: str, fallback: str, ending: str) -> str:
    """Return a file name that every file system accepts.

    It has no separators, no control characters and no invisible characters.

    Args:
        name: name of the comparison, as a user typed it.
        fallback: used if nothing of the name is left.
        ending: for example `-results.csv`.
    """
    shown = "".join("-" if unicodedata.category(c) in _HIDDEN else c for c in name)
    kept = re.sub(r"[<>:\"/\\|?*%\s-]+", "-", shown)[:MAX_NAME_LENGTH].strip("-. ")
    if not kept or _RESERVED.fullmatch(kept):
        kept = fallback
    return f"{kept}{ending}"


def content_disposition(name: str) -> str:
    """Return the Content-Disposition of a download (RFC 6266), with the full name by RFC 5987."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^\w.-]+", "-", plain).strip("-") or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _cells(
    batch: Sequence[Row], texts: Sequence[int], truths: Sequence[int]
) -> Iterator[list[Any]]:
    for row in batch:
        cells = list(row)
        for place in texts:
            if cells[place] is not None:
                cells[place] = escape_formula(cells[place])
        for place in truths:
            cells[place] = "true" if cells[place] else "false"
        yield cells


def _groups(batches: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """Yield batches joined until they have enough rows for a row group."""
    group: list[Row] = []
    for batch in batches:
        group.extend(batch)
        if len(group) >= MIN_GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group
