"""The values of tables of texts: words of a column, and the split that rows name."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from contract.dataset_files.arrow_source import ArrowFile, damage
from contract.dataset_files.arrow_types import as_dictionary, is_words, type_text
from contract.dataset_files.columns import DamagedError
from contract.dataset_files.csv_file import CsvFile, open_csv
from contract.dataset_files.formats import format_of, refuse_no_texts
from contract.dataset_files.json_lines import JsonLines, open_json_lines
from contract.dataset_files.parquet import open_parquet
from contract.dataset_files.problems import Findings, Limits
from contract.dataset_files.regular_file import regular_file
from contract.dataset_files.split_folders import PARTS, Part

MAX_CHARACTERS: Final = 20_000
"""Characters of one text; encoders read a few hundred words of it."""
SHOWN: Final = 40
"""Characters of a value that a problem shows."""
_ROWS_AT_ONCE: Final = 4_096


@contextmanager
def opened_texts(path: Path, limits: Limits, findings: Findings) -> Iterator[ArrowFile]:
    """Hold a CSV, Parquet or JSON lines file open that has rows.

    Raises:
        IntakeError: it is another file, cannot be read, or has no rows.
    """
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(regular_file(path))
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise findings.refuse(str(path), message) from error
        file = _open(opened, path.name, limits, findings)
        if not file.rows:
            raise findings.refuse("", "has no rows")
        yield file


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


def as_words(file: ArrowFile, name: str) -> ArrowFile:
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


def read_words(file: ArrowFile, name: str, limits: Limits, findings: Findings) -> list[str]:
    """Read texts, without blanks around them; one that is empty or too long is a problem."""
    empty = "is empty; every row needs a text"
    return checked_words(words_of(file, name, findings), name, empty, limits, findings)


def checked_words(
    words: Iterable[str], name: str, empty: str, limits: Limits, findings: Findings
) -> list[str]:
    """Return the words of a column, cut to the most characters; one that is empty, of which `empty`
    tells, or too long is a problem."""
    texts: list[str] = []
    size = 0
    for row, text in enumerate(words):
        if not text:
            findings.add(f"row {row}, {name}", empty)
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


def words_of(file: ArrowFile, name: str, findings: Findings) -> list[str]:
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


def read_parts(file: ArrowFile, name: str, findings: Findings) -> list[Part] | None:
    """Return the split of each row; None if there is no such column, or it says something else."""
    if not name:
        return None
    words = [word.lower() for word in words_of(file, name, findings)]
    known = set(words) & PARTS.keys()
    if words and not known:
        findings.warn(name, "is not used: it names no train, validation or test")
        return None
    parts: list[Part] = []
    for row, word in enumerate(words):
        if word in PARTS:
            parts.append(PARTS[word])
            continue
        seen = f"is {word[:SHOWN]!r}" if word else "is missing"
        findings.add(f"row {row}, {name}", f"{seen}; needs train, validation or test")
    if len(parts) == len(words) and words:
        if "train" not in parts:
            findings.add(name, "names no row train; needs train, and validation or test")
        elif len(set(parts)) < 2:
            findings.add(name, "names train alone; needs validation or test too")
    return parts
