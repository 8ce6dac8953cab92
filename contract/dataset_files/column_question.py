"""The question which columns of a table are what, with what they seem to be."""

import re
from collections.abc import Sequence
from typing import Final

from contract.dataset_files.layout import FINE, IDS, LABELS, Matrices, SeenArray
from contract.dataset_files.questions import Question, SeenColumn

MIN_GROUP: Final = 4
"""Columns whose names differ by a number only are shown as one from this many on."""
MAX_SHOWN: Final = 500
"""Columns that a question lists; answers may name further ones."""
_NUMBER_AT_END: Final = re.compile(r"(.*?)([0-9]{1,9})")
LABEL_NAMES: Final = (*LABELS, "y", "target", "targets", "class", "classes", "category", "species")
ID_NAMES: Final = (*IDS, "name", "file", "filename", "file_name", "path", "index", "")


def column_question(seen: Sequence[SeenArray], matrices: Matrices) -> Question | None:
    """Return the question; None if the columns cannot be a table of that kind in any way."""
    grouped = _group(seen)
    suggested = _suggest(grouped, matrices)
    as_features = sum(one.holds in ("matrix", "numbers") for one, _ in grouped)
    as_labels = sum(one.holds != "nothing" and not several for one, several in grouped)
    readable = sum(one.holds != "nothing" for one, _ in grouped)
    # One column cannot be both features and labels.
    if as_features < len(matrices) or not as_labels or readable <= len(matrices):
        return None
    columns = [
        SeenColumn(
            name=one.name,
            type=one.type,
            examples=list(one.examples),
            roles=_roles(one, matrices, several=several),
            suggested=suggested.get(one.name, ""),
        )
        for one, several in grouped
    ]
    columns.sort(key=lambda one: not one.suggested)  # the others keep their order
    text = f"The columns are not called {', '.join(matrices)} and labels. Choose which is which."
    return Question(name="columns", text=text, choices=[], columns=columns[:MAX_SHOWN])


def _roles(one: SeenArray, matrices: Matrices, *, several: bool) -> list[str]:
    as_features = [*matrices] if one.holds in ("matrix", "numbers") else []
    as_labels = ["labels", "fine_labels"] if one.holds != "nothing" and not several else []
    as_ids = ["ids"] if one.holds in ("numbers", "words") and not several else []
    return as_features + as_labels + as_ids


def _group(seen: Sequence[SeenArray]) -> list[tuple[SeenArray, bool]]:
    """Return the columns, several whose names differ by a number as one, and whether it is that."""
    groups: dict[str, list[SeenArray]] = {}
    for one in seen:
        match = _NUMBER_AT_END.fullmatch(one.name) if one.holds == "numbers" else None
        if match:
            groups.setdefault(match[1], []).append(one)
    groups = {prefix: found for prefix, found in groups.items() if len(found) >= MIN_GROUP}
    members = {one.name: prefix for prefix, found in groups.items() for one in found}
    shown: list[tuple[SeenArray, bool]] = []
    for one in seen:
        prefix = members.get(one.name)
        if prefix is None:
            shown.append((one, False))
        elif groups[prefix][0] is one:
            found = groups[prefix]
            first = tuple(example for each in found[:3] for example in each.examples[:1])
            kind = f"{len(found):,} columns of {one.type}"
            shown.append((SeenArray(f"{prefix}*", kind, "numbers", first), True))
    return shown


def _suggest(grouped: Sequence[tuple[SeenArray, bool]], matrices: Matrices) -> dict[str, str]:
    """Return the name of a column -> what it seems to be, of those that seem used."""
    single = [one for one, several in grouped if not several and one.holds != "nothing"]
    suggested: dict[str, str] = {}
    for role, names in (("ids", ID_NAMES), ("fine_labels", FINE)):
        called = [one.name for one in single if one.name.casefold() in names]
        if called and any(one.holds != "matrix" for one in single if one.name == called[0]):
            suggested[called[0]] = role
    free = [one for one in single if one.name not in suggested]
    named = [one for one in free if one.name.casefold() in LABEL_NAMES]
    words = [one for one in free if one.holds == "words"]
    whole = [one for one in free if one.holds == "numbers" and "int" in one.type]
    label = next(iter([*named, *words, *reversed(whole)]), None)
    if label:
        suggested[label.name] = "labels"
    left = [one for one, _ in grouped if one.name not in suggested]
    wide = [one.name for one in left if one.holds == "matrix"]
    wide += [one.name for one, several in grouped if several and one.name not in suggested]
    suggested |= dict(zip(wide, matrices, strict=False))
    if not wide and len(matrices) == 1:
        suggested |= {one.name: next(iter(matrices)) for one in left if one.holds == "numbers"}
    return suggested
