"""Parquet files."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contract.dataset_files.arrow_source import ARROW_ERRORS
from contract.dataset_files.arrow_types import is_words
from contract.dataset_files.problems import Findings


@dataclass(frozen=True)
class ParquetFile:
    """An open Parquet file."""

    file: pq.ParquetFile

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self.file.schema_arrow

    @property
    def rows(self) -> int:
        """Number of rows."""
        rows: int = self.file.metadata.num_rows
        return rows

    def batches(
        self, names: Sequence[str], rows: int, *, floats: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns in batches of so many rows, of the types that the file has."""
        del floats
        for batch in self.file.iter_batches(batch_size=rows, columns=list(names)):
            yield batch.select(list(names))  # the file has its columns in another order

    def words_among_numbers(self, name: str) -> list[tuple[int, str]]:
        """Return nothing: the file says of each column whether it holds numbers."""
        del name
        return []

    def values(self, names: Sequence[str]) -> int:
        """Return the number of values in columns, of lists their elements."""
        return sum(chunk.num_values for chunk in self._chunks(names))

    def stored(self, names: Sequence[str]) -> int:
        """Return how many bytes of the file columns take."""
        return sum(chunk.total_compressed_size for chunk in self._chunks(names))

    def _chunks(self, names: Sequence[str]) -> list[pq.ColumnChunkMetaData]:
        """Return the chunks of the file that hold the values of these columns."""
        wanted, metadata = set(names), self.file.metadata
        groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
        chunks = chain.from_iterable(
            (group.column(i) for i in range(group.num_columns)) for group in groups
        )
        # A name with a dot in it stands before the path to the elements of its lists.
        return [
            chunk
            for chunk in chunks
            if chunk.path_in_schema in wanted or chunk.path_in_schema.split(".")[0] in wanted
        ]


def open_parquet(path: Path, name: str, findings: Findings) -> ParquetFile:
    """Open a file with its columns of words as dictionaries, so that a long word is stored once.

    Args:
        path: to read it by.
        name: its name in problems.
        findings: collects them.

    Raises:
        IntakeError: it is damaged, or two of its columns have one name.
    """
    try:
        with pq.ParquetFile(path) as file:
            fields = file.schema_arrow
            words = [field.name for field in fields if is_words(field.type)]
            opened = ParquetFile(pq.ParquetFile(path, read_dictionary=words))
    except ARROW_ERRORS as error:
        seen = str(error).replace(str(path), name)
        raise findings.refuse(
            name, f"is not a complete Parquet file ({seen}); save it again"
        ) from error
    refuse_twice(opened.schema.names, findings)
    return opened


def refuse_twice(names: Sequence[str], findings: Findings) -> None:
    """Refuse a table with two columns of one name.

    Raises:
        IntakeError: there are such columns.
    """
    for name in sorted(name for name, count in Counter(names).items() if count > 1):
        findings.add(name, "is the name of two columns; rename one")
    findings.raise_if_any()
