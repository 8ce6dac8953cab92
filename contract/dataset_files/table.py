"""A table's columns put together and checked against each other."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from contract.dataset_files.checked_dataset import FeatureTable
from contract.dataset_files.columns import Column, DamagedError, readable, whole
from contract.dataset_files.feature_matrix import read_matrix
from contract.dataset_files.labels import Coded, read_labels, words
from contract.dataset_files.limits import Limits
from contract.dataset_files.problems import Findings

LABELS: Final = ("labels", "label")
FINE: Final = ("fine_labels", "fine_label")
IDS: Final = ("ids", "id")
OTHERS: Final = LABELS + FINE + IDS
Matrices = Mapping[str, str]
"""Name of each matrix of features -> the letter its values go by."""


def build(
    columns: Mapping[str, Column],
    matrices: Matrices,
    limits: Limits,
    findings: Findings,
    *,
    background: bool = False,
) -> FeatureTable:
    """Read and check the columns of a table.

    Args:
        columns: by name; of labels, fine labels and ids under any name of theirs.
        matrices: which columns are features: one, or audio and visual.
        limits: of what is read.
        findings: what was found until now.
        background: whether the last class of marked labels is none.

    Raises:
        IntakeError: with every row that is not as it should be.
    """
    labels, fine, ids = (_named(columns, names) for names in (LABELS, FINE, IDS))
    for name, found in (*((name, name in columns) for name in matrices), (LABELS[0], labels)):
        if not found and not findings.about(name):
            held = ", ".join(sorted({*columns, *findings.passed_over})) or "nothing that is read"
            findings.add(name, f"is missing; the file holds {held}")
    used = {name: columns[name] for name in (*matrices, labels, fine, ids) if name in columns}
    good = [readable(name, column, limits, findings) for name, column in used.items()]
    if all(good):
        _same_length(used, findings)
    findings.settle()
    read = {
        name: read_matrix(name, letter, columns[name], limits, findings)
        for name, letter in matrices.items()
    }
    coded = read_labels(labels, columns[labels], findings, background=background)
    fine_coded = read_labels(fine, columns[fine], findings) if fine else None
    names = _ids(ids, columns[ids], findings) if ids else None
    findings.settle()
    return _table(list(read.values()), coded, fine_coded, names, findings)


def _named(columns: Mapping[str, Column], names: Sequence[str]) -> str:
    return next((name for name in names if name in columns), "")


def _same_length(columns: Mapping[str, Column], findings: Findings) -> None:
    """Rows of all columns; MATLAB's vectors may lie down."""
    lengths = {
        name: max(column.shape)
        if name in OTHERS and len(column.shape) == 2 and column.shape[0] == 1
        else column.shape[0]
        for name, column in columns.items()
    }
    if len(set(lengths.values())) > 1:
        seen = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        findings.add("", f"columns have different numbers of rows: {seen}; each needs the same")
    elif lengths and not next(iter(lengths.values())):
        findings.add("", "has no rows")


def _ids(name: str, column: Column, findings: Findings) -> np.ndarray:
    """Names of the rows, no two alike."""
    try:
        values = words(whole(column).ravel())
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
    labels: Coded,
    fine: Coded | None,
    ids: np.ndarray | None,
    findings: Findings,
) -> FeatureTable:
    keep = _first_of_identical(matrices, labels.codes, findings)
    codes = labels.codes[keep]
    if len(labels.names) < 2:
        findings.add("", "has one class; needs two or more")
    for name, size in zip(labels.names, np.bincount(codes, minlength=1), strict=False):
        if size == 1:
            findings.add(
                f"class {name}", "has one row only; a class needs two different ones or more"
            )
    findings.settle()
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
    """Rows that stay: of rows with the same features and label the first, so that no split can
    have one of them where another split has the other."""
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
