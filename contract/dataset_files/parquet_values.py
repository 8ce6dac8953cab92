"""Values of Parquet columns as arrays."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.dataset_files.labels import LONGEST_NAME
from contract.dataset_files.problems import Findings

ARROW_ERRORS: Final = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises over damaged files."""
_ROWS_AT_ONCE: Final = 65_536


def is_number(kind: pa.DataType) -> bool:
    """Whether values are numbers as numpy has them."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists of numbers."""
    types = pa.types
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists and is_number(kind.value_type))


def is_words(kind: pa.DataType) -> bool:
    """Whether values are words."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def numbers(column: pa.Array) -> np.ndarray:
    """Numbers or truth values, with NaN for what is missing."""
    if column.null_count:
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def values(file: pq.ParquetFile, name: str, findings: Findings) -> np.ndarray | None:
    """A column of labels or names; what is missing is an empty word or NaN. None where it is none.

    Problems: neither numbers nor words, or words that are too long.
    """
    kind = file.schema_arrow.field(name).type
    parts = []
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[name]):
            column = batch.column(0)
            if isinstance(column, pa.DictionaryArray) and is_words(column.dictionary.type):
                parts.append(_words(column, name, findings))
                continue
            if isinstance(column, pa.DictionaryArray):
                column = column.dictionary_decode()
            if not is_number(column.type) and not pa.types.is_boolean(column.type):
                findings.add(name, f"holds {kind}; needs whole numbers or words")
                return None
            parts.append(numbers(column))
    except ARROW_ERRORS as error:
        findings.add(name, f"is damaged ({error}); save it anew")
        return None
    return np.concatenate(parts) if parts else np.zeros(0)


def _words(column: pa.DictionaryArray, name: str, findings: Findings) -> np.ndarray:
    words = [word or "" for word in column.dictionary.to_pylist()]
    longest = max(map(len, words), default=0)
    if longest > LONGEST_NAME:
        findings.add(name, f"has a word of {longest:,} letters; {LONGEST_NAME} are the most")
    known = np.array([*(word[:LONGEST_NAME] for word in words), ""], dtype=np.str_)
    chosen: np.ndarray = known[np.asarray(column.indices.fill_null(len(words)))]
    return chosen
