"""Which columns of a table of tuples are its items, labels, scores and split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contract.dataset_files.column_question import MAX_SHOWN
from contract.dataset_files.layout import SeenArray, listed
from contract.dataset_files.problems import Findings
from contract.dataset_files.questions import (
    ColumnRoles,
    Question,
    SeenColumn,
    UnansweredError,
)
from contract.dataset_files.text_columns import SPLITS
from contract.names import TupleShape

ITEM_ROLES: Final[Mapping[TupleShape, tuple[str, ...]]] = {
    "pairs": ("anchor", "positive"),
    "triplets": ("anchor", "positive", "negative"),
    "labelled_pairs": ("first", "second"),
    "scored_pairs": ("first", "second"),
}
"""Shape of the tuples -> the roles of the columns that name their items, as `ColumnRoles` calls
them; the same words are the columns' documented names."""
VALUE_ROLES: Final[Mapping[TupleShape, str]] = {"labelled_pairs": "same", "scored_pairs": "score"}
"""Shape -> the role of the column with what is known of a pair."""
_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "anchor": ("query", "question", "sentence", "text", "anchors", "query_text"),
    "positive": ("pos", "answer", "passage", "document", "positives", "positive_passage"),
    "negative": ("neg", "hard_negative", "negatives", "negative_passage"),
    "first": ("sentence1", "sentence_1", "text1", "text_1", "sentence_a", "question1", "a"),
    "second": ("sentence2", "sentence_2", "text2", "text_2", "sentence_b", "question2", "b"),
    "same": ("label", "labels", "is_duplicate", "duplicate", "match"),
    "score": ("label", "labels", "scores", "similarity", "similarity_score", "relatedness_score"),
}
"""Role -> common other names of its column, in small letters."""


@dataclass(frozen=True)
class TupleLayout:
    """Which columns are what."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Role -> name of its column; what there is not is missing."""

    @property
    def names(self) -> set[str]:
        """Names of all columns that are used."""
        return {*self.columns.values()}

    def name(self, role: str) -> str:
        """Return the name of a column; empty if there is none."""
        return self.columns.get(role, "")


def needed_roles(shape: TupleShape) -> tuple[str, ...]:
    """Return the roles that a table of a shape must have."""
    value = VALUE_ROLES.get(shape)
    return (*ITEM_ROLES[shape], *([value] if value else []))


def choose_tuple_layout(
    shape: TupleShape,
    names: Sequence[str],
    seen: Sequence[SeenArray],
    told: ColumnRoles | None,
    findings: Findings,
    *,
    ask: bool,
) -> TupleLayout:
    """Return which columns are what: as somebody said, by their documented names, or by other names
    that leave no doubt.

    Args:
        shape: of the tuples.
        names: of all columns.
        seen: the columns with what they hold.
        told: an answer to the question, if there is one.
        findings: gets problems and warnings.
        ask: whether it may ask.

    Raises:
        IntakeError: the table lacks columns.
        UnansweredError: the columns have other names, and it may ask.
    """
    needed = needed_roles(shape)
    if told:
        return _layout_of_answer(told, shape, names, findings)
    own = next((name for name in SPLITS if name in names), "")
    split = {"split": own} if own else {}
    usual = {role: role for role in needed if role in names}
    if len(usual) == len(needed):
        return TupleLayout({**usual, **split})
    if found := _by_other_names(usual, needed, names, findings):
        return TupleLayout({**found, **split})
    if ask and len(seen) >= len(needed):
        raise UnansweredError([_question(shape, seen, usual)])
    advice = "" if ask else "; rename them, or upload it and say there which is what"
    for role in needed:
        if role not in usual:
            findings.add(role, f"is missing; the file holds {listed(names)}{advice}")
    findings.raise_if_any()
    return TupleLayout(usual)


def shapes_named(names: Sequence[str]) -> list[TupleShape]:
    """Return the shapes whose documented columns a table has, the one with the most first."""
    fitting: list[TupleShape] = [
        shape for shape in ITEM_ROLES if {*needed_roles(shape)} <= {*names}
    ]
    return sorted(fitting, key=lambda shape: -len(needed_roles(shape)))


def _layout_of_answer(
    told: ColumnRoles, shape: TupleShape, names: Sequence[str], findings: Findings
) -> TupleLayout:
    roles = (*needed_roles(shape), "split")
    chosen: dict[str, str] = {}
    for role, given in told.model_dump(exclude_defaults=True).items():
        where = f"columns.{role}"
        if role not in roles:
            findings.add(where, f"is for another kind of data; this has {listed(roles)}")
        elif given not in names:
            message = f"there is no column {given!r}; the file holds {listed(names)}"
            findings.add(where, message)
        else:
            chosen[role] = given
    for role in roles[:-1]:
        if not getattr(told, role):
            findings.add(f"columns.{role}", f"is missing; name the {role}, of {listed(names)}")
    used = list(chosen.values())
    for name in sorted({name for name in used if used.count(name) > 1}):
        findings.add(
            "columns", f"names {name!r} {used.count(name)} times; a column is one thing only"
        )
    findings.raise_if_any()
    return TupleLayout(chosen)


def _by_other_names(
    usual: Mapping[str, str], needed: Sequence[str], names: Sequence[str], findings: Findings
) -> dict[str, str]:
    """Complete a layout with columns that have a common other name; empty if a role has no such
    column or several. A warning says what was taken for what."""
    taken: dict[str, str] = {}
    for role in needed:
        if role in usual:
            continue
        called = [name for name in names if name.casefold() in _OTHER_NAMES[role]]
        if len(called) != 1:
            return {}
        taken[role] = called[0]
    for role, name in taken.items():
        findings.warn(name, f"is taken as the {role}")
    return {**usual, **taken}


def _question(shape: TupleShape, seen: Sequence[SeenArray], usual: Mapping[str, str]) -> Question:
    roles = needed_roles(shape)
    suggested = {name: role for role, name in usual.items()}
    for role in roles:
        called = [one.name for one in seen if one.name.casefold() in _OTHER_NAMES[role]]
        if called and role not in suggested.values() and called[0] not in suggested:
            suggested[called[0]] = role
    columns = [
        SeenColumn(
            name=one.name,
            type=one.type,
            examples=list(one.examples),
            roles=[*roles, "split"] if one.holds in ("words", "numbers") else [],
            suggested=suggested.get(one.name, ""),
        )
        for one in seen
    ]
    columns.sort(key=lambda one: not one.suggested)  # the others keep their order
    text = f"The columns are not called {listed(roles)}. Choose which is which."
    return Question(name="columns", text=text, choices=[], columns=columns[:MAX_SHOWN])
