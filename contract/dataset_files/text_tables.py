"""Tables of texts with labels, as CSV, Parquet or JSON lines."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from contract.dataset_files.arrow_source import ArrowFile, ArrowSource, damage, read_values
from contract.dataset_files.arrow_types import as_dictionary, is_words, type_text
from contract.dataset_files.columns import DamagedError, InMemoryColumn, code_labels
from contract.dataset_files.csv_file import CsvFile, open_csv
from contract.dataset_files.feature_tables import holds_features, warn_of_unused
from contract.dataset_files.formats import format_of, refuse_no_texts
from contract.dataset_files.json_lines import JsonLines, open_json_lines
from contract.dataset_files.parquet import open_parquet
from contract.dataset_files.problems import DEFAULT_LIMITS, Findings, Limits, TextTable
from contract.dataset_files.questions import NO_ANSWERS, Answers
from contract.dataset_files.regular_file import regular_file
from contract.dataset_files.split_folders import PARTS, Part, with_test_part
from contract.dataset_files.table import read_ids
from contract.dataset_files.text_columns import TextLayout, choose_text_layout

MAX_CHARACTERS: Final = 20_000
"""Characters of one text; encoders read a few hundred words of it."""
_ROWS_AT_ONCE: Final = 4_096
_SHOWN: Final = 40
"""Characters of a value that a problem shows."""


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
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(regular_file(path))
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise findings.refuse(str(path), message) from error
        file = _open(opened, path.name, limits, findings)
        source = ArrowSource(file)
        if not file.rows:
            raise findings.refuse("", "has no rows")
        if answers.columns is None and holds_features(source):
            message = "holds features and labels; upload it as 'features'"
            raise findings.refuse("kind", message)
        layout = choose_text_layout(source.names, source.look(), answers.columns, findings, ask=ask)
        warn_of_unused(source.names, layout.names, findings)
        return _table(file, layout, limits, findings)


def _open(path: Path, name: str, limits: Limits, findings: Findings) -> ArrowFile:
    try:
        found = format_of(path)
    except OSError as error:
        raise findings.refuse(name, f"cannot be read: {error.strerror or error}") from error
    match found:
        case "csv":
            return open_csv(path, limits, findings)
        case "parquet":
            return open_parquet(path, name, findings)
        case "jsonl":
            return open_json_lines(path, limits, findings)
        case _:
            raise refuse_no_texts(found, findings)


def _table(file: ArrowFile, layout: TextLayout, limits: Limits, findings: Findings) -> TextTable:
    texts = _read_words(_as_words(file, layout.text), layout.text, limits, findings)
    labels = read_values(file, layout.labels, findings)
    coded = None if labels is None else code_labels(layout.labels, labels, findings)
    fine = None
    if layout.fine_labels and (held := read_values(file, layout.fine_labels, findings)) is not None:
        fine = code_labels(layout.fine_labels, held, findings)
    ids = None
    if layout.ids and (held := read_values(file, layout.ids, findings)) is not None:
        ids = read_ids(layout.ids, InMemoryColumn(held), findings)
    parts = _read_parts(_as_words(file, layout.split), layout.split, findings)
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


def _as_words(file: ArrowFile, name: str) -> ArrowFile:
    """Return a file of text with a column read as it is written, even where it seems numbers."""
    if not name or not isinstance(file, CsvFile | JsonLines):
        return file
    at = file.schema.get_field_index(name)
    field = pa.field(name, pa.string())
    if isinstance(file, CsvFile):
        return replace(file, schema=file.schema.set(at, field))
    held = file.table.column(name)
    if pa.types.is_struct(held.type):
        return file
    return JsonLines(file.table.set_column(at, field, held.cast(pa.string())))


def _read_words(file: ArrowFile, name: str, limits: Limits, findings: Findings) -> list[str]:
    """Read texts, without blanks around them; one that is empty or too long is a problem."""
    texts: list[str] = []
    size = 0
    for row, text in enumerate(_words(file, name, findings)):
        if not text:
            findings.add(f"row {row}, {name}", "is empty; every row needs a text")
        elif len(text) > MAX_CHARACTERS:
            findings.add(
                f"row {row}, {name}",
                f"has {len(text):,} characters; {MAX_CHARACTERS:,} are the most: shorten it, "
                "or leave the row out",
            )
        texts.append(text[:MAX_CHARACTERS])
        size += len(texts[-1])
        if size > limits.max_bytes:
            raise findings.refuse(
                name, f"takes more than {limits.max_bytes:,} bytes; bring fewer or shorter texts"
            )
    return texts


def _words(file: ArrowFile, name: str, findings: Findings) -> list[str]:
    """Return the words of a column, empty for missing ones; none, with a problem added, if it holds
    something else or is damaged."""
    kind = file.schema.field(name).type
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not is_words(held):
        seen = "lists or objects" if pa.types.is_nested(kind) else type_text(kind)
        findings.add(name, f"holds {seen}; needs words")
        return []
    found: list[str] = []
    try:
        with damage():
            for batch in file.batches([name], _ROWS_AT_ONCE):
                column = as_dictionary(batch.column(0))
                # A long word is held once, however many rows have it.
                known = [(word or "").strip() for word in column.dictionary.to_pylist()]
                known.append("")
                places = column.indices.fill_null(len(known) - 1).to_pylist()
                found.extend(known[place] for place in places)
    except DamagedError as error:
        findings.add(name, str(error))
    return found


def _read_parts(file: ArrowFile, name: str, findings: Findings) -> list[Part] | None:
    """Return the split of each row; None if there is no such column, or it says something else."""
    if not name:
        return None
    words = [word.lower() for word in _words(file, name, findings)]
    known = set(words) & PARTS.keys()
    if words and not known:
        findings.warn(name, "is not used: it names no train, validation or test")
        return None
    parts: list[Part] = []
    for row, word in enumerate(words):
        if word in PARTS:
            parts.append(PARTS[word])
            continue
        seen = f"is {word[:_SHOWN]!r}" if word else "is missing"
        findings.add(f"row {row}, {name}", f"{seen}; needs train, validation or test")
    if len(parts) == len(words) and words:
        if "train" not in parts:
            findings.add(name, "names no row train; needs train, and validation or test")
        elif len(set(parts)) < 2:
            findings.add(name, "names train alone; needs validation or test too")
    return parts


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
