"""Tables of pairs, triplets, and pairs with a label or a score, as CSV, Parquet or JSON lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from contract.dataset_files.arrow_source import ArrowFile, ArrowSource, read_values
from contract.dataset_files.feature_tables import holds_features, warn_of_unused
from contract.dataset_files.problems import DEFAULT_LIMITS, Findings, Limits, TupleTable
from contract.dataset_files.questions import NO_ANSWERS, Answers
from contract.dataset_files.split_folders import with_test_part
from contract.dataset_files.text_columns import has_texts
from contract.dataset_files.text_values import (
    SHOWN,
    as_words,
    checked_words,
    opened_texts,
    read_parts,
    words_of,
)
from contract.dataset_files.tuple_columns import (
    ITEM_ROLES,
    TupleLayout,
    choose_tuple_layout,
    shapes_named,
)
from contract.names import TupleShape

MIN_ROWS: Final = 10
SAME: Final = {"1": True, "true": True, "yes": True, "same": True, "1.0": True}
DIFFERENT: Final = {"0": False, "false": False, "no": False, "different": False, "0.0": False}
RANGES: Final = ((0.0, 1.0), (-1.0, 1.0), (0.0, 5.0), (0.0, 10.0), (0.0, 100.0))
"""Ranges that scores may have, in the order in which they are tried."""
IN_RANGE: Final = 0.95
"""Share of the scores that a range must hold to be theirs."""


def read_tuples(
    path: Path,
    shape: TupleShape,
    limits: Limits = DEFAULT_LIMITS,
    answers: Answers = NO_ANSWERS,
    *,
    ask: bool = False,
) -> TupleTable:
    """Read and check a table of tuples.

    Args:
        path: a CSV, Parquet or JSON lines file with the columns `anchor` and `positive`, and of
            triplets `negative`; or `first`, `second` and `same` or `score`. With a column `split`
            each row says its split.
        shape: of the tuples.
        limits: bounds on the size of the data.
        answers: which column is what, where they have other names.
        ask: whether a missing answer is an error.

    Raises:
        IntakeError: with every problem found, row by row.
        UnansweredError: an answer is missing.
    """
    findings = Findings()
    with opened_texts(path, limits, findings) as file:
        source = ArrowSource(file)
        if answers.columns is None:
            _refuse_other_kinds(shape, source, findings)
        layout = choose_tuple_layout(
            shape, source.names, source.look(), answers.columns, findings, ask=ask
        )
        warn_of_unused(source.names, layout.names, findings)
        return _table(file, shape, layout, limits, findings)


def _refuse_other_kinds(shape: TupleShape, source: ArrowSource, findings: Findings) -> None:
    """Refuse a table whose columns have the documented names of another kind."""
    named = shapes_named(source.names)
    if named and shape not in named:
        raise findings.refuse("kind", f"has the columns of {named[0]}; upload it as '{named[0]}'")
    if not named and has_texts(source.names):
        raise findings.refuse("kind", "holds texts and labels; upload it as 'text'")
    if not named and holds_features(source):
        raise findings.refuse("kind", "holds features and labels; upload it as 'features'")


def _table(
    file: ArrowFile, shape: TupleShape, layout: TupleLayout, limits: Limits, findings: Findings
) -> TupleTable:
    roles = ITEM_ROLES[shape]
    columns = [_read_items(file, layout.name(role), role, limits, findings) for role in roles]
    same = scores = None
    if shape == "labelled_pairs":
        same = _read_same(file, layout.name("same"), findings)
    elif shape == "scored_pairs":
        scores = _read_scores(file, layout.name("score"), findings)
    name = layout.name("split")
    parts = read_parts(as_words(file, name), name, findings)
    if any(len(column) != file.rows for column in columns):
        findings.raise_if_any()  # a column that could not be read
    places: dict[str, int] = {}
    rows = np.array(
        [
            [places.setdefault(word, len(places)) for word in row]
            for row in zip(*columns, strict=True)
        ],
        dtype=np.int64,
    )
    empty = places.get("", -1)
    _check_rows(rows, empty, [layout.name(role) for role in roles], findings)
    if same is not None and len(same) == len(rows):
        _check_labels(rows, same, findings)
    if scores is not None and np.isfinite(scores).any():
        _check_scores(layout.name("score"), scores, findings)
    findings.raise_if_any()
    directed = shape in ("pairs", "triplets")
    keep = _first_of_identical(rows if directed else np.sort(rows, axis=1), scores, findings)
    if len(keep) < MIN_ROWS:
        findings.add("", f"has {len(keep)} different tuples; needs {MIN_ROWS} or more")
    findings.raise_if_any()
    return TupleTable(
        shape=shape,
        items=tuple(places),
        rows=rows[keep],
        same=None if same is None else same[keep] == 1,
        scores=None if scores is None else scores[keep],
        parts=None if parts is None else with_test_part([parts[row] for row in keep]),
        warnings=findings.warnings,
    )


def _read_items(
    file: ArrowFile, name: str, role: str, limits: Limits, findings: Findings
) -> list[str]:
    """Read the words of a column, whole numbers as they are written; one that is empty or too long
    is a problem."""
    empty = f"is empty, so that the tuple has no {role}; fill it in, or leave the row out"
    return checked_words(_words(file, name, findings), name, empty, limits, findings)


def _words(file: ArrowFile, name: str, findings: Findings) -> list[str]:
    """Return the words of a column; of a column of numbers or truths what they are written as."""
    read = as_words(file, name)
    kind = read.schema.field(name).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return words_of(read, name, findings)
    held = read_values(read, name, findings)
    if held is None:
        return []
    missing = np.isnan(held) if held.dtype.kind == "f" else np.zeros(len(held), dtype=bool)
    return ["" if lost else str(value) for value, lost in zip(held.tolist(), missing, strict=True)]


def _read_same(file: ArrowFile, name: str, findings: Findings) -> np.ndarray:
    """Read which pairs belong together: 1, or 0; -1, with a problem added, for other words."""
    known = {**SAME, **DIFFERENT}
    words = [word.lower() for word in _words(file, name, findings)]
    for row, word in enumerate(words):
        if word not in known:
            seen = f"is {word[:SHOWN]!r}" if word else "is empty"
            findings.add(f"row {row}, {name}", f"{seen}; needs 1 or 0, true or false, yes or no")
    return np.array([known.get(word, -1) for word in words], dtype=np.int8)


def _read_scores(file: ArrowFile, name: str, findings: Findings) -> np.ndarray:
    """Read the scores of pairs."""
    found: list[float] = []
    for row, word in enumerate(_words(file, name, findings)):
        try:
            # Python alone takes 1_0 for ten.
            score = float(word) if "_" not in word else np.nan
        except ValueError:
            score = np.nan
        if not np.isfinite(score):
            seen = f"is {word[:SHOWN]!r}" if word else "is empty"
            findings.add(f"row {row}, {name}", f"{seen}; needs a finite number")
        found.append(score)
    return np.array(found, dtype=np.float64)


def _check_rows(rows: np.ndarray, empty: int, names: Sequence[str], findings: Findings) -> None:
    """Check that the items of a row are different ones; an empty one is a problem already."""
    first, second = names[:2]
    for row in np.flatnonzero((rows[:, 0] == rows[:, 1]) & (rows[:, 0] != empty)):
        findings.add(
            f"row {row}, {second}", f"is the same as its {first}; leave the row out, or change one"
        )
    if rows.shape[1] < 3:
        return
    for place in (1, 0):
        for row in np.flatnonzero((rows[:, 2] == rows[:, place]) & (rows[:, 2] != empty)):
            findings.add(
                f"row {row}, {names[2]}",
                f"is the same as its {names[place]}; bring another negative, or leave the row out",
            )


def _check_labels(rows: np.ndarray, same: np.ndarray, findings: Findings) -> None:
    """Check that no pair has both labels, in whichever order, and that both labels occur."""
    first: dict[tuple[int, int], int] = {}
    for row, pair in enumerate(np.sort(rows, axis=1).tolist()):
        if same[row] < 0:
            continue
        earlier = first.setdefault((pair[0], pair[1]), row)
        if same[earlier] != same[row]:
            findings.add(
                f"row {row}",
                f"is the pair of row {earlier} with the other label; leave one of them out",
            )
    if len({*same.tolist()} - {-1}) == 1:
        kind = "belong together" if same.max() == 1 else "are different"
        findings.add("", f"holds only pairs that {kind}; needs both kinds")


def score_range(scores: np.ndarray) -> tuple[float, float] | None:
    """Return the first of the known ranges that holds 95 % of the scores; None if none does."""
    for low, high in RANGES:
        if np.mean((scores >= low) & (scores <= high)) >= IN_RANGE:
            return low, high
    return None


def _check_scores(name: str, scores: np.ndarray, findings: Findings) -> None:
    """Check that scores differ and lie within one range."""
    finite = scores[np.isfinite(scores)]
    if finite.min() == finite.max():
        findings.add(name, f"is {finite[0]:g} in every row; needs scores that differ")
        return
    held = score_range(finite)
    if held is None:
        known = ", ".join(f"{low:g} to {high:g}" for low, high in RANGES)
        findings.add(
            name,
            f"goes from {finite.min():g} to {finite.max():g}; scale the scores to one of the "
            f"ranges {known}",
        )
        return
    low, high = held
    outside = (scores < low) | (scores > high)
    share = np.mean((finite >= low) & (finite <= high))
    for row in np.flatnonzero(outside):
        findings.add(
            f"row {row}, {name}",
            f"is {scores[row]:g}, outside {low:g} to {high:g}, the range of {share:.1%} of the "
            "scores; correct it, or leave the row out",
        )


def _first_of_identical(
    rows: np.ndarray, scores: np.ndarray | None, findings: Findings
) -> np.ndarray:
    """Return the rows to keep: of the same tuple only the first, with a warning for each other.

    A pair with two scores is kept with its first one.

    Args:
        rows: [R, 2 or 3] items; where their order means nothing, sorted.
        scores: [R] of scored pairs.
        findings: gets the warnings.
    """
    first: dict[tuple[int, ...], int] = {}
    keep = np.ones(len(rows), dtype=bool)
    for row, items in enumerate(map(tuple, rows.tolist())):
        earlier = first.setdefault(items, row)
        if earlier == row:
            continue
        keep[row] = False
        other = scores is not None and scores[earlier] != scores[row]
        findings.warn(
            f"row {row}",
            f"is the pair of row {earlier} with another score; the first is used"
            if other
            else f"is identical with row {earlier}; only that one is used",
        )
    return np.flatnonzero(keep)
