"""Which columns of a table are its texts, labels, fine labels, ids and split."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contract.dataset_files.column_question import ID_NAMES, LABEL_NAMES, MAX_SHOWN
from contract.dataset_files.layout import FINE, IDS, LABELS, SeenArray, listed
from contract.dataset_files.problems import Findings
from contract.dataset_files.questions import (
    TUPLE_ROLES,
    ColumnRoles,
    Question,
    SeenColumn,
    UnansweredError,
)

TEXTS: Final = ("text", "texts")

SPLITS: Final = ("split", "splits")

ROLES: Final = ("text", "labels", "fine_labels", "ids", "split")
"""As `ColumnRoles` names them; the first two are needed."""

NEEDED: Final = ROLES[:2]

_TEXT_NAMES: Final = (*TEXTS, "sentence", "sentences", "utterance", "query", "queries")
_LIKELY_TEXT_NAMES: Final = (*_TEXT_NAMES, "content", "body", "question", "title", "document")


@dataclass(frozen=True)
class TextLayout:
    """Which columns are what; empty for what there is not."""

    text: str = ""
    labels: str = ""
    fine_labels: str = ""
    ids: str = ""
    split: str = ""

    @property
    def names(self) -> set[str]:
        """Names of all columns that are used."""
        return {name for role in ROLES if (name := getattr(self, role))}

    @property
    def is_complete(self) -> bool:
        """Whether nothing that a table needs is missing."""
        return bool(self.text and self.labels)


def choose_text_layout(
    names: Sequence[str],
    seen: Sequence[SeenArray],
    told: ColumnRoles | None,
    findings: Findings,
    *,
    ask: bool,
) -> TextLayout:
    """Return which columns are what: as somebody said, by their documented names, or by other names
    that leave no doubt.

    Args:
        names: of all columns.
        seen: the columns with what they hold.
        told: an answer to the question, if there is one.
        findings: gets problems and warnings.
        ask: whether it may ask.

    Raises:
        IntakeError: the table lacks columns.
        UnansweredError: the columns have other names, and it may ask.
    """
    if told:
        return _layout_of_answer(told, names, findings)
    usual = TextLayout(
        *(
            next((name for name in group if name in names), "")
            for group in (TEXTS, LABELS, FINE, IDS, SPLITS)
        )
    )
    if usual.is_complete:
        return usual
    if found := _by_other_names(usual, seen, findings):
        return found
    if ask and (question := _question(seen)):
        raise UnansweredError([question])
    advice = "" if ask else "; rename them, or upload it and say there which is what"
    for role in NEEDED:
        if not getattr(usual, role):
            findings.add(role, f"is missing; the file holds {listed(names)}{advice}")
    findings.raise_if_any()
    return usual


def has_texts(names: Iterable[str]) -> bool:
    """Return whether columns have the documented names of texts with labels."""
    held = set(names)
    return bool(held.intersection(TEXTS)) and bool(held.intersection(LABELS))


def _layout_of_answer(told: ColumnRoles, names: Sequence[str], findings: Findings) -> TextLayout:
    chosen = {role: getattr(told, role) for role in ROLES}
    for role in ("features", "audio", "visual", *TUPLE_ROLES):
        if getattr(told, role):
            findings.add(f"columns.{role}", "is for another kind of data; this has texts")
    for role, name in chosen.items():
        if name and name not in names:
            message = f"there is no column {name!r}; the file holds {listed(names)}"
            findings.add(f"columns.{role}", message)
        elif not name and role in NEEDED:
            findings.add(f"columns.{role}", f"is missing; name the {role}, of {listed(names)}")
    used = [name for name in chosen.values() if name]
    for name in sorted({name for name in used if used.count(name) > 1}):
        findings.add(
            "columns", f"names {name!r} {used.count(name)} times; a column is one thing only"
        )
    findings.raise_if_any()
    return TextLayout(**chosen)


def _by_other_names(
    usual: TextLayout, seen: Sequence[SeenArray], findings: Findings
) -> TextLayout | None:
    """Complete a layout with columns that have a common other name; None if a role has no such
    column or several. A warning says what was taken for what."""
    taken: dict[str, str] = {}
    for role, known, fitting in (
        ("text", _TEXT_NAMES, ("words",)),
        ("labels", (*LABELS, "y", "target", "targets"), ("words", "numbers")),
    ):
        if getattr(usual, role):
            continue
        called = [one.name for one in seen if one.name.casefold() in known and one.holds in fitting]
        if len(called) != 1:
            return None
        taken[role] = called[0]
    for role, name in taken.items():
        findings.warn(name, f"is taken as the {role}")
    return replace(usual, **taken)


def _question(seen: Sequence[SeenArray]) -> Question | None:
    """Return the question which column is what; None if no column can be the text, or no other one
    the labels."""
    texts = [one for one in seen if one.holds == "words"]
    readable = [one for one in seen if one.holds in ("words", "numbers")]
    if not texts or len(readable) < 2:
        return None
    suggested = _suggest(readable)
    columns = [
        SeenColumn(
            name=one.name,
            type=one.type,
            examples=list(one.examples),
            roles=_roles(one),
            suggested=suggested.get(one.name, ""),
        )
        for one in seen
    ]
    columns.sort(key=lambda one: not one.suggested)  # the others keep their order
    text = "The columns are not called text and label. Choose which is which."
    return Question(name="columns", text=text, choices=[], columns=columns[:MAX_SHOWN])


def _roles(one: SeenArray) -> list[str]:
    if one.holds == "words":
        return list(ROLES)
    return ["labels", "fine_labels", "ids"] if one.holds == "numbers" else []


def _suggest(readable: Sequence[SeenArray]) -> dict[str, str]:
    """Return the name of a column -> what it seems to be, of those that seem used."""
    suggested: dict[str, str] = {}
    for role, known in (
        ("split", SPLITS),
        ("ids", ID_NAMES),
        ("fine_labels", FINE),
        ("labels", LABEL_NAMES),
        ("text", _LIKELY_TEXT_NAMES),
    ):
        fitting = [one for one in readable if role in _roles(one) and one.name not in suggested]
        if called := [one for one in fitting if one.name.casefold() in known]:
            suggested[called[0].name] = role
    words = [one for one in readable if one.holds == "words" and one.name not in suggested]
    if words and "text" not in suggested.values():
        longest = max(words, key=lambda one: sum(map(len, one.examples)))
        suggested[longest.name] = "text"
        words.remove(longest)
    if "labels" not in suggested.values():
        numbers = [one for one in readable if one.holds == "numbers" and "int" in one.type]
        left = [one for one in (*words, *numbers) if one.name not in suggested]
        if left:
            suggested[left[0].name] = "labels"
    return suggested
