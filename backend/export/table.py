"""A table of rows, which a file is written from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "whole", "number", "truth"]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table whose rows are read from the database when they are requested."""

    columns: dict[str, Kind]
    """Name -> kind of its values; any value may be None."""
    batches: Iterator[Sequence[Row]]
