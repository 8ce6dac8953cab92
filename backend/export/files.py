"""Tables written to files: CSV for spreadsheets and scripts, Parquet with types.

Names of downloaded files, whatever a comparison is called.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from backend.export.tables import Kind, Row, Table

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A text cell that begins so would be calculated by a spreadsheet, or split."""

ROWS: Final = 131_072
"""Of a row group of Parquet, at least, unless the table ends."""

_ARROW: Final[dict[Kind, Any]] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "truth": pa.bool_(),
}


def write_csv(table: Table, file: IO[bytes]) -> None:
    """A header and a line for each row, UTF-8; None is an empty cell.

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
    """Typed columns in row groups; None is null."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in table.columns.items()])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(table.batches):
            columns = zip(*rows, strict=True) if rows else [()] * len(schema)
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=len(rows) or 1)


def safe(text: str) -> str:
    """A text as a cell that stays a text."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _cells(
    batch: Sequence[Row], texts: Sequence[int], truths: Sequence[int]
) -> Iterator[list[Any]]:
    for row in batch:
        cells = list(row)
        for place in texts:
            if cells[place] is not None:
                cells[place] = safe(cells[place])
        for place in truths:
            cells[place] = "true" if cells[place] else "false"
        yield cells


def _groups(batches: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """Batches gathered until they are worth a row group."""
    gathered: list[Row] = []
    for batch in batches:
        gathered.extend(batch)
        if len(gathered) >= ROWS:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


LONGEST: Final = 80
"""Characters of a comparison's name that a file's name keeps."""

_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_name(name: str, fallback: str, ending: str) -> str:
    """A name that every file system takes: no separators, no characters that control or hide.

    Args:
        name: for people, as someone typed it.
        fallback: used where nothing of the name is left.
        ending: as `-results.csv`.
    """
    shown = "".join("-" if unicodedata.category(c) in _HIDDEN else c for c in name)
    kept = re.sub(r"[<>:\"/\\|?*%\s-]+", "-", shown)[:LONGEST].strip("-. ")
    if not kept or _RESERVED.fullmatch(kept):
        kept = fallback
    return f"{kept}{ending}"


_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def disposition(name: str) -> str:
    """The Content-Disposition of a download (RFC 6266), with the name in full by RFC 5987."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^\w.-]+", "-", plain).strip("-") or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
