"""Tables: features are read in blocks and checked, and all columns are checked together."""

import hashlib
from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from contract.dataset_files.columns import (
    CodedLabels,
    Column,
    DamagedError,
    as_words,
    check_readable,
    read_all,
    read_labels,
)
from contract.dataset_files.dimensions import as_rows, dimensions_question, row_width, what_rows_are
from contract.dataset_files.layout import Layout
from contract.dataset_files.problems import FeatureTable, Findings, Limits
from contract.dataset_files.questions import Dimensions, UnansweredError
from contract.dataset_files.scale import remark_on_scale


def build_table(
    columns: Mapping[str, Column],
    layout: Layout,
    limits: Limits,
    findings: Findings,
    *,
    background: bool = False,
    dimensions: Dimensions | None = "mean",
) -> FeatureTable:
    """Read and check the columns of a table.

    Args:
        columns: the columns of the layout by their keys, except for those with problems.
        layout: which columns are the features, of one modality or of two, and what the others are.
        limits: bounds on the size of the data.
        findings: the problems and warnings so far.
        background: whether the last class of marked labels means "none of them".
        dimensions: how features of more than two dimensions become rows; None to ask.

    Raises:
        IntakeError: with every problem found, row by row.
        UnansweredError: there are features of more than two dimensions, and it may ask.
    """
    keys = [layout.key(role) for role in layout.matrices]
    used = {name: columns[name] for name in (*keys, *layout.others) if name in columns}
    good = [check_readable(name, column, limits, findings) for name, column in used.items()]
    if all(good):
        _check_same_length(used, layout, findings)
    findings.raise_if_any()
    if dimensions is None:
        shapes = {key: columns[key].shape for key in keys}
        if question := dimensions_question(shapes, limits.max_columns):
            raise UnansweredError([question])
    read = {
        role: read_matrix(
            layout,
            role,
            columns[layout.key(role)],
            limits,
            findings,
            dimensions=dimensions or "mean",
        )
        for role in layout.matrices
    }
    coded = read_labels(layout.labels, columns[layout.labels], findings, background=background)
    fine = read_labels(layout.fine, columns[layout.fine], findings) if layout.fine else None
    names = read_ids(layout.ids, columns[layout.ids], findings) if layout.ids else None
    findings.raise_if_any()
    for role, matrix in read.items():
        remark_on_scale(layout.key(role), matrix, findings)
    return _table(list(read.values()), coded, fine, names, findings)


def _check_same_length(columns: Mapping[str, Column], layout: Layout, findings: Findings) -> None:
    """Check that all columns have the same number of rows; MATLAB's vectors may be a single row."""
    lengths = {
        name: max(column.shape)
        if name in layout.others and len(column.shape) == 2 and column.shape[0] == 1
        else column.shape[0]
        for name, column in columns.items()
    }
    if len(set(lengths.values())) > 1:
        seen = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        findings.add("", f"columns have different numbers of rows: {seen}; each needs the same")
    elif lengths and not next(iter(lengths.values())):
        findings.add("", "has no rows")


def read_ids(name: str, column: Column, findings: Findings) -> np.ndarray:
    """Read the names of the rows, and check that they are all different."""
    try:
        values = as_words(read_all(column).ravel())
    except DamagedError as error:
        findings.add(name, str(error))
        return np.zeros(0, dtype=np.str_)
    known, first, places = np.unique(values, return_index=True, return_inverse=True)
    for row, place in enumerate(places):
        if known[place] == "":
            findings.add(f"row {row}, {name}", "is missing; every row needs one, or none at all")
        elif first[place] != row:
            findings.add(
                f"row {row}, {name}",
                f"is {str(known[place])!r} again, as row {first[place]}; make it another",
            )
    return values


def _table(
    matrices: list[np.ndarray],
    labels: CodedLabels,
    fine: CodedLabels | None,
    ids: np.ndarray | None,
    findings: Findings,
) -> FeatureTable:
    keep = _first_of_identical(matrices, labels.codes, findings)
    codes = labels.codes[keep]
    if len(labels.names) < 2:
        findings.add("", "has one class; needs two or more")
    sizes = np.bincount(codes, minlength=1)
    brought = np.bincount(labels.codes[labels.codes >= 0], minlength=1)
    for name, size, rows in zip(labels.names, sizes, brought, strict=False):
        if size == 1:
            has = "one row only" if rows == 1 else f"{rows:,} rows that are all identical"
            findings.add(f"class {name}", f"has {has}; a class needs two different ones or more")
    findings.raise_if_any()
    return FeatureTable(
        features=matrices[0][keep],
        labels=codes,
        class_names=labels.names,
        fine=None if fine is None else fine.codes[keep],
        ids=None if ids is None else tuple(ids[keep].tolist()),
        visual=matrices[1][keep] if len(matrices) > 1 else None,
        warnings=findings.warnings,
    )


def _first_of_identical(
    matrices: list[np.ndarray], codes: np.ndarray, findings: Findings
) -> np.ndarray:
    """Return the rows to keep: of rows with the same features and label only the first, so that two
    splits cannot have the same row."""
    first: dict[bytes, int] = {}
    keep = np.ones(len(codes), dtype=bool)
    for row, code in enumerate(codes.tolist()):
        content = b"".join(matrix[row].tobytes() for matrix in matrices)
        earlier = first.setdefault(hashlib.sha256(content).digest(), row)
        if earlier == row:
            continue
        if codes[earlier] == code:
            keep[row] = False
            findings.warn(f"row {row}", f"is identical with row {earlier}; only that one is used")
        else:
            findings.warn(
                f"row {row}", f"has the features of row {earlier}, which is of another class"
            )
    return np.flatnonzero(keep)


def read_matrix(
    layout: Layout,
    role: str,
    column: Column,
    limits: Limits,
    findings: Findings,
    *,
    dimensions: Dimensions = "mean",
) -> np.ndarray:
    """Read features [N, D] float32.

    Args:
        layout: gives the names of the columns in problems.
        role: of the matrix in the layout.
        column: the features.
        limits: bounds on the values in a row and on all bytes.
        findings: collects values that are not finite.
        dimensions: how several axes after the first become one, see `as_rows`.
    """
    name = layout.key(role)
    shape = column.shape
    if problem := _shape_problem(column, limits, dimensions):
        findings.add(name, problem)
        return np.zeros((shape[0] if shape else 0, 0), dtype=np.float32)
    if len(shape) > 2:
        findings.warn(name, f"has shape {tuple(shape)}; {what_rows_are(shape, dimensions)}")
    matrix = np.empty((shape[0], row_width(shape, dimensions)), dtype=np.float32)
    start = 0
    try:
        for block in column.blocks():
            # A value too large for float32 becomes infinite here, and a problem below.
            with np.errstate(over="ignore", invalid="ignore"):
                rows = matrix[start : start + len(block)]
                rows[...] = as_rows(block, dimensions)
            if not np.isfinite(rows).all():
                _report_not_finite(
                    rows, start, lambda place: layout.value_name(role, place), findings
                )
            start += len(block)
    except DamagedError as error:
        findings.add(name, str(error))
        return matrix[:start]
    return matrix


def _shape_problem(column: Column, limits: Limits, dimensions: Dimensions) -> str:
    shape = column.shape
    if column.dtype.kind not in "fiub":
        return "holds words; needs numbers"
    if len(shape) < 2 or not prod(shape[1:]):
        return f"has shape {tuple(shape)}; needs rows of features"
    width = row_width(shape, dimensions)
    if width > limits.max_columns:
        return f"has {width:,} features in a row, more than {limits.max_columns:,}; bring fewer"
    if shape[0] * width * np.float32().itemsize > limits.max_bytes:
        return f"takes more than {limits.max_bytes:,} bytes; bring fewer rows or features"
    return ""


def _report_not_finite(
    rows: np.ndarray, start: int, value_name: Callable[[int], str], findings: Findings
) -> None:
    """Add one problem for each row with values that are not finite; it names the first of them."""
    bad = ~np.isfinite(rows)
    for row in np.flatnonzero(bad.any(axis=1)):
        place = int(bad[row].argmax())
        more = int(bad[row].sum()) - 1
        findings.add(
            f"row {start + row}, column {value_name(place)}",
            ("is NaN" if np.isnan(rows[row, place]) else "is infinite in 32-bit floats")
            + (f", as {more} more of this row" if more else "")
            + "; every value must be finite",
        )
