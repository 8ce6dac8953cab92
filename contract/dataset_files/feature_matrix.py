"""Features: read in blocks, made float32, and searched for values that are no numbers."""

from math import prod

import numpy as np

from contract.dataset_files.columns import Column, DamagedError
from contract.dataset_files.limits import Limits
from contract.dataset_files.problems import Findings


def read_matrix(
    name: str, letter: str, column: Column, limits: Limits, findings: Findings
) -> np.ndarray:
    """Features [N, D] float32.

    What has axes between the first and the last, as seconds or places in an image, is averaged
    over them.

    Args:
        name: how problems call the column.
        letter: how they call its values: f3 is the fourth of the features.
        column: the features.
        limits: of values in a row, and of bytes in all.
        findings: told of values that are not finite.
    """
    shape = column.shape
    if problem := _shape_problem(column, limits):
        findings.add(name, problem)
        return np.zeros((shape[0] if shape else 0, 0), dtype=np.float32)
    parts = prod(shape[1:-1])
    if len(shape) > 2:
        findings.warn(name, f"has shape {tuple(shape)}; each row is the mean of its {parts} parts")
    matrix = np.empty((shape[0], shape[-1]), dtype=np.float32)
    start = 0
    try:
        for block in column.blocks():
            # What is too large for float32 becomes infinite here, and is told of below.
            with np.errstate(over="ignore", invalid="ignore"):
                means = block.reshape(len(block), parts, shape[-1]).mean(axis=1, dtype=np.float64)
                rows = matrix[start : start + len(block)]
                rows[...] = means
            if not np.isfinite(rows).all():
                _tell(rows, start, letter, findings)
            start += len(block)
    except DamagedError as error:
        findings.add(name, str(error))
        return matrix[:start]
    return matrix


def _shape_problem(column: Column, limits: Limits) -> str:
    shape = column.shape
    if column.dtype.kind not in "fiub":
        return "holds words; needs numbers"
    if len(shape) < 2 or not prod(shape[1:]):
        return f"has shape {tuple(shape)}; needs rows of features"
    if shape[-1] > limits.max_columns:
        return f"has {shape[-1]:,} features in a row, more than {limits.max_columns:,}; bring fewer"
    if shape[0] * shape[-1] * np.float32().itemsize > limits.max_bytes:
        return f"takes more than {limits.max_bytes:,} bytes; bring fewer rows or features"
    return ""


def _tell(rows: np.ndarray, start: int, letter: str, findings: Findings) -> None:
    """One problem for each row that has values which are not finite: its first one."""
    bad = ~np.isfinite(rows)
    for row in np.flatnonzero(bad.any(axis=1)):
        place = int(bad[row].argmax())
        more = int(bad[row].sum()) - 1
        findings.add(
            f"row {start + row}, column {letter}{place}",
            ("is NaN" if np.isnan(rows[row, place]) else "is infinite in 32-bit floats")
            + (f", as {more} more of this row" if more else "")
            + "; every value must be finite",
        )
