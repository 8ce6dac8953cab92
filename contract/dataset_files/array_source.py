"""Files of arrays with names: npz, HDF5 and MATLAB."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from contract.dataset_files.columns import Column, DamagedError, check_readable, read_all
from contract.dataset_files.layout import Holds, Layout, SeenArray
from contract.dataset_files.problems import Findings, IntakeError, Limits

EXAMPLES: Final = 3
"""Values of a column, or of a row, that are shown."""
_LONGEST_EXAMPLE: Final = 40
_DTYPE: Final = np.dtype(np.float64)

ReadArrays = Callable[[Sequence[str], Findings], dict[str, Column]]
"""Returns the arrays with these names; what cannot be read becomes a problem."""


@dataclass(frozen=True)
class ArraySource:
    """An open file of arrays."""

    names: Sequence[str]
    read: ReadArrays
    numbered: bool = False

    def look(self) -> list[SeenArray]:
        """Return what each array holds."""
        try:
            found = self.read(self.names, Findings())
        except IntakeError:
            found = {}  # reading the chosen ones tells what is wrong
        return [_seen(name, found.get(name)) for name in self.names]

    def columns(self, layout: Layout, limits: Limits, findings: Findings) -> dict[str, Column]:
        """Return the columns of a layout; several arrays of one matrix are joined."""
        used = layout.names
        arrays = self.read([name for name in self.names if name in used], findings)
        columns = {name: arrays[name] for name in layout.others if name in arrays}
        for role, names in layout.matrices.items():
            parts = {name: arrays[name] for name in names if name in arrays}
            if len(names) == 1:
                columns |= parts
            elif len(parts) == len(names) > 0 and (joined := _join(role, parts, limits, findings)):
                columns[role] = joined
        return columns


@dataclass(frozen=True)
class JoinedColumn:
    """Arrays side by side: vectors [N], or matrices [N, D]."""

    parts: Sequence[Column]
    shape: tuple[int, ...]
    stored: int
    dtype: np.dtype = _DTYPE

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows as one block."""
        rows = self.shape[0]
        parts = [read_all(part) for part in self.parts]
        try:
            yield np.concatenate([part.reshape(rows, -1) for part in parts], axis=1)
        except ValueError as error:
            raise DamagedError(f"is damaged ({error}); save it again") from error


def _join(
    role: str, parts: dict[str, Column], limits: Limits, findings: Findings
) -> JoinedColumn | None:
    readable = [check_readable(name, part, limits, findings) for name, part in parts.items()]
    if not all(readable):
        return None
    lengths = {name: _length(part) for name, part in parts.items()}
    rows = next(iter(lengths.values()))
    if set(lengths.values()) != {rows}:
        seen = ", ".join(f"{name} {length:,}" for name, length in [*lengths.items()][:5])
        findings.add(role, f"is made of columns with different numbers of rows: {seen}")
        return None
    width = sum(prod(part.shape) // max(1, rows) for part in parts.values())
    if rows * width * _DTYPE.itemsize > limits.max_bytes:
        findings.add(role, f"takes more than {limits.max_bytes:,} bytes; bring fewer columns")
        return None
    stored = sum(part.stored for part in parts.values())
    return JoinedColumn([*parts.values()], (rows, width), stored)


def _length(column: Column) -> int:
    shape = column.shape  # MATLAB has no vectors
    return shape[1] if len(shape) == 2 and shape[0] == 1 else shape[0]


def _seen(name: str, column: Column | None) -> SeenArray:
    if column is None or not column.shape or column.dtype.kind not in "fiubUS":
        return SeenArray(name, "not read", "nothing", ())
    shape = column.shape
    vector = len(shape) == 1 or (len(shape) == 2 and 1 in shape)
    holds: Holds = "matrix"
    if column.dtype.kind in "US":
        holds = "words" if vector else "nothing"
    elif vector:
        holds = "numbers"
    kind = "words" if column.dtype.kind in "US" else str(column.dtype)
    type_ = f"{kind}, {' x '.join(f'{size:,}' for size in shape)}"
    return SeenArray(name, type_, holds, _examples(column, vector=vector))


def _examples(column: Column, *, vector: bool) -> tuple[str, ...]:
    try:
        block = next(iter(column.blocks()), np.zeros(0))
    except (DamagedError, MemoryError):
        return ()
    values = block.ravel() if vector else block[:1].ravel()
    shown = [example_text(value) for value in values[:EXAMPLES].tolist()]
    return tuple(shown) if vector else (f"{', '.join(shown)}, …",)


def example_text(value: object) -> str:
    """Return a value as a short text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]}…"
