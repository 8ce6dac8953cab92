"""Arrow's types, as far as tables of features and labels use them."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Kind: TypeAlias = pa.DataType


def is_number(kind: Kind) -> bool:
    """Return whether values are numbers."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def is_words(kind: Kind) -> bool:
    """Return whether values are words, or bytes, which are read as UTF-8."""
    types = pa.types
    words = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(words or is_bytes(kind))


def is_bytes(kind: Kind) -> bool:
    """Return whether values are bytes."""
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    ) and not types.is_decimal(kind)


def is_list(kind: Kind) -> bool:
    """Return whether values are lists of numbers, or lists of such lists."""
    types = pa.types
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists) and (is_number(kind.value_type) or is_list(kind.value_type))


def list_depth(kind: Kind) -> int:
    """Return how many lists lie in one another."""
    return 1 + list_depth(kind.value_type) if is_list(kind) else 0


def is_label(kind: Kind) -> bool:
    """Return whether values can be labels: numbers, truth values or words, also in a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(is_number(kind) or is_words(kind) or pa.types.is_boolean(kind))


def type_text(kind: Kind) -> str:
    """Return a type for people."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_words(kind):
        return "words"
    return f"lists of {type_text(kind.value_type)}" if is_list(kind) else str(kind)


def as_numbers(column: pa.Array) -> np.ndarray:
    """Return numbers or truth values as an array, with NaN for missing ones."""
    if pa.types.is_decimal(column.type):
        whole = column.type.scale <= 0 and column.type.precision <= 18 and not column.null_count
        column = column.cast(pa.int64() if whole else pa.float64())
    if column.null_count:
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def as_dictionary(column: pa.Array) -> pa.DictionaryArray:
    """Return words or bytes as a dictionary, so that a long word is held once.

    Raises:
        ArrowInvalid: bytes that are no UTF-8.
    """
    if not isinstance(column, pa.DictionaryArray):
        if pa.types.is_string_view(column.type) or pa.types.is_binary_view(column.type):
            column = column.cast(
                pa.large_string() if pa.types.is_string_view(column.type) else pa.large_binary()
            )
        column = pc.dictionary_encode(column)
    if is_bytes(column.dictionary.type):
        words = column.dictionary.cast(pa.large_binary()).cast(pa.large_string())
        column = pa.DictionaryArray.from_arrays(column.indices, words)
    return column
