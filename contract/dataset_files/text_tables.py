"""Tables of texts with labels, as CSV, Parquet or JSON lines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contract.dataset_files.arrow_source import ArrowFile, ArrowSource, read_values
from contract.dataset_files.columns import InMemoryColumn, code_labels
from contract.dataset_files.feature_tables import holds_features, warn_of_unused
from contract.dataset_files.problems import DEFAULT_LIMITS, Findings, Limits, TextTable
from contract.dataset_files.questions import NO_ANSWERS, Answers
from contract.dataset_files.split_folders import with_test_part
from contract.dataset_files.table import read_ids
from contract.dataset_files.text_columns import TextLayout, choose_text_layout, has_texts
from contract.dataset_files.text_values import as_words, opened_texts, read_parts, read_words
from contract.dataset_files.tuple_columns import shapes_named


def read_texts(
    path: Path, limits: Limits = DEFAULT_LIMITS, answers: Answers = NO_ANSWERS, *, ask: bool = False
) -> TextTable:
    """Read and check a table of texts.

    Args:
        path: a CSV, Parquet or JSON lines file with the columns `text` and `label`, and if there
            are, `fine_label`, `id` and `split` (train, validation and test, in common spellings).
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
        if answers.columns is None and holds_features(source):
            message = "holds features and labels; upload it as 'features'"
            raise findings.refuse("kind", message)
        shapes = shapes_named(source.names)
        if answers.columns is None and shapes and not has_texts(source.names):
            message = f"has the columns of {shapes[0]}; upload it as '{shapes[0]}'"
            raise findings.refuse("kind", message)
        layout = choose_text_layout(source.names, source.look(), answers.columns, findings, ask=ask)
        warn_of_unused(source.names, layout.names, findings)
        return _table(file, layout, limits, findings)


def _table(file: ArrowFile, layout: TextLayout, limits: Limits, findings: Findings) -> TextTable:
    texts = read_words(as_words(file, layout.text), layout.text, limits, findings)
    labels = read_values(file, layout.labels, findings)
    coded = None if labels is None else code_labels(layout.labels, labels, findings)
    fine = None
    if layout.fine_labels and (held := read_values(file, layout.fine_labels, findings)) is not None:
        fine = code_labels(layout.fine_labels, held, findings)
    ids = None
    if layout.ids and (held := read_values(file, layout.ids, findings)) is not None:
        ids = read_ids(layout.ids, InMemoryColumn(held), findings)
    parts = read_parts(as_words(file, layout.split), layout.split, findings)
    findings.raise_if_any()
    assert coded is not None, "labels that could not be read are a problem"
    within = coded.codes if fine is None else np.stack((coded.codes, fine.codes), axis=1)
    keep = _first_of_identical(texts, coded.codes, within, findings)
    codes = coded.codes[keep]
    _check_classes(coded.names, codes, coded.codes, findings)
    findings.raise_if_any()
    return TextTable(
        texts=tuple(texts[row] for row in keep),
        labels=codes,
        class_names=coded.names,
        fine=None if fine is None else fine.codes[keep],
        fine_names=() if fine is None else fine.names,
        ids=None if ids is None else tuple(ids[keep].tolist()),
        parts=None if parts is None else with_test_part([parts[row] for row in keep]),
        warnings=findings.warnings,
    )


def _first_of_identical(
    texts: Sequence[str], codes: np.ndarray, within: np.ndarray, findings: Findings
) -> np.ndarray:
    """Return the rows to keep: of rows with the same text and labels only the first, so that two
    splits cannot have the same row.

    Args:
        texts: [N].
        codes: [N] classes.
        within: [N, ...] classes and what divides them further.
        findings: gets a warning for each of the others, and for one text with two labels.
    """
    first: dict[str, int] = {}
    keep = np.ones(len(texts), dtype=bool)
    for row, text in enumerate(texts):
        earlier = first.setdefault(text, row)
        if earlier == row:
            continue
        if (within[earlier] == within[row]).all():
            keep[row] = False
            findings.warn(f"row {row}", f"is identical with row {earlier}; only that one is used")
        else:
            other = "class" if codes[earlier] != codes[row] else "fine label"
            findings.warn(
                f"row {row}", f"has the text of row {earlier}, which is of another {other}"
            )
    return np.flatnonzero(keep)


def _check_classes(
    names: Sequence[str], codes: np.ndarray, brought: np.ndarray, findings: Findings
) -> None:
    """Check that there are two classes or more, with two different texts each."""
    if len(names) < 2:
        findings.add("", "has one class; needs two or more")
    sizes = np.bincount(codes, minlength=len(names))
    rows = np.bincount(brought, minlength=len(names))
    for name, size, count in zip(names, sizes, rows, strict=True):
        if size == 1:
            has = "one row only" if count == 1 else f"{count:,} rows that are all identical"
            findings.add(f"class {name}", f"has {has}; a class needs two different ones or more")
