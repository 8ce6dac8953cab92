"""Which columns of a table are its features, labels, fine labels and ids."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, Protocol

from contract.dataset_files.columns import Column
from contract.dataset_files.problems import Findings, Limits
from contract.dataset_files.questions import TUPLE_ROLES, ColumnRoles

LABELS: Final = ("labels", "label")

FINE: Final = ("fine_labels", "fine_label")

IDS: Final = ("ids", "id")

Holds = Literal["matrix", "numbers", "words", "nothing"]
"""Several numbers in each row, one number, words, or values that are not read."""

Matrices = Mapping[str, str]
"""Name of each matrix of features -> the letter of its columns: with f, they are f0, f1, ..."""

USUAL_LETTERS: Final[Matrices] = {"features": "f", "audio": "a", "visual": "v"}

_ALIASES: Final[Mapping[str, frozenset[str]]] = {
    "features": frozenset({"features", "feature", "x", "embeddings", "embedding", "feats"}),
    "audio": frozenset({"audio"}),
    "visual": frozenset({"visual"}),
    "labels": frozenset({"labels", "label", "y", "targets", "target"}),
    "fine_labels": frozenset(FINE),
    "ids": frozenset(IDS),
}
"""Role -> names, in any case of letters; a column is taken for it if it alone has one of them."""

_MAX_LISTED: Final = 10


class SeenArray(NamedTuple):
    """A column of a file, before anybody has said what it is."""

    name: str
    type: str
    holds: Holds
    examples: tuple[str, ...]
    """Its first values, shortened."""


class TableSource(Protocol):
    """An open file with columns."""

    @property
    def names(self) -> Sequence[str]:
        """Names of all columns."""

    @property
    def numbered(self) -> bool:
        """Whether a matrix may be several columns of one number each, such as f0, f1, ..."""

    def look(self) -> list[SeenArray]:
        """Return what each column holds; those that cannot be read hold nothing."""

    def columns(self, layout: "Layout", limits: Limits, findings: Findings) -> dict[str, Column]:
        """Return the columns of a layout by their keys; what cannot be used becomes a problem."""


@dataclass(frozen=True)
class Layout:
    """Which columns are what."""

    matrices: Mapping[str, tuple[str, ...]]
    """Role, as `features`, -> names of its columns: one column with several numbers in each row, or
    columns of one number each; none where it is missing."""
    labels: str = ""
    fine: str = ""
    ids: str = ""

    def key(self, role: str) -> str:
        """Return the name of a matrix in problems."""
        names = self.matrices[role]
        return names[0] if len(names) == 1 else role

    def value_name(self, role: str, place: int) -> str:
        """Return the name of one feature in problems: `f3` is the fourth."""
        names = self.matrices[role]
        if len(names) > 1:
            return names[place]
        usual = USUAL_LETTERS.get(names[0])
        return f"{usual}{place}" if usual else f"{names[0]}[{place}]"

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the labels, fine labels and ids that there are."""
        return tuple(name for name in (self.labels, self.fine, self.ids) if name)

    @property
    def names(self) -> set[str]:
        """Names of all columns that are used."""
        return {name for names in self.matrices.values() for name in names} | {*self.others}

    @property
    def is_complete(self) -> bool:
        """Whether nothing that a table needs is missing."""
        return bool(self.labels) and all(self.matrices.values())


def usual_layout(source: TableSource, matrices: Matrices) -> Layout:
    """Return the layout of a table whose columns have the documented names, as far as it has."""
    names = set(source.names)
    found: dict[str, tuple[str, ...]] = {}
    for role, letter in matrices.items():
        numbered = numbered_columns(letter, source.names) if source.numbered else ()
        found[role] = (role,) if role in names else numbered
    labels, fine, ids = (
        next((name for name in group if name in names), "") for group in (LABELS, FINE, IDS)
    )
    return Layout(found, labels, fine, ids)


def layout_by_alias(usual: Layout, seen: Iterable[SeenArray], findings: Findings) -> Layout | None:
    """Complete a layout with columns that have a common other name, such as X and y.

    None if a role has no such column or several; a warning says what was taken for what.
    """
    held = list(seen)
    taken: dict[str, str] = {}
    for role in (*usual.matrices, "labels"):
        fitting = ("matrix",) if role in usual.matrices else ("numbers", "words", "matrix")
        if usual.matrices.get(role) or (role == "labels" and usual.labels):
            continue
        called = [
            one.name
            for one in held
            if one.name.casefold() in _ALIASES[role] and one.holds in fitting
        ]
        if len(called) != 1:
            return None
        taken[role] = called[0]
    for role, name in taken.items():
        findings.warn(name, f"is taken as the {role}")
    optional = {
        role: next((one.name for one in held if one.name.casefold() in _ALIASES[role]), "")
        for role in ("fine_labels", "ids")
    }
    return replace(
        usual,
        matrices={
            role: (taken[role],) if role in taken else names
            for role, names in usual.matrices.items()
        },
        labels=taken.get("labels", usual.labels),
        fine=usual.fine or optional["fine_labels"],
        ids=usual.ids or optional["ids"],
    )


def layout_of_answer(
    told: ColumnRoles, source: TableSource, matrices: Matrices, findings: Findings
) -> Layout:
    """Return the layout that somebody chose.

    Raises:
        IntakeError: it names columns that there are not, or lacks some that a table needs.
    """
    names = dict.fromkeys(source.names)
    chosen: dict[str, tuple[str, ...]] = {}
    for role in ("text", "split", *TUPLE_ROLES):
        if getattr(told, role):
            findings.add(
                f"columns.{role}", "is for texts or tuples; this has " + ", ".join(matrices)
            )
    for role in ("features", "audio", "visual", "labels", "fine_labels", "ids"):
        entries = getattr(told, role)
        entries = [entries] if isinstance(entries, str) and entries else [*entries]
        where = f"columns.{role}"
        if role in ("features", "audio", "visual") and role not in matrices:
            if entries:
                findings.add(where, f"is for another kind of data; this has {', '.join(matrices)}")
            continue
        chosen[role] = tuple(
            name for entry in entries for name in _columns_of_entry(entry, names, where, findings)
        )
        if not entries and (role in matrices or role == "labels"):
            findings.add(where, f"is missing; name the {role}, of {listed(names)}")
    counts: dict[str, int] = {}
    for name in (name for group in chosen.values() for name in group):
        counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        if count > 1:
            findings.add("columns", f"names {name!r} {count} times; a column is one thing only")
    findings.raise_if_any()
    labels, fine, ids = (next(iter(chosen[role]), "") for role in ("labels", "fine_labels", "ids"))
    return Layout({role: chosen[role] for role in matrices}, labels, fine, ids)


def _columns_of_entry(
    entry: str, names: Collection[str], where: str, findings: Findings
) -> tuple[str, ...]:
    found: tuple[str, ...] = (entry,) if entry in names else ()
    if not found and entry.endswith("*"):
        found = numbered_columns(entry[:-1], names)
    if not found:
        findings.add(where, f"there is no column {entry!r}; the file holds {listed(names)}")
    return found


def numbered_columns(prefix: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns with this name and a number behind it, in the order of the numbers."""
    pattern = re.compile(rf"{re.escape(prefix)}([0-9]{{1,9}})")
    found = {int(match[1]): name for name in names if (match := pattern.fullmatch(name))}
    return tuple(found[number] for number in sorted(found))


def listed(names: Iterable[str]) -> str:
    """Return the first names in a line, and how many more there are."""
    every = sorted(names)
    more = len(every) - _MAX_LISTED
    shown = ", ".join(every[:_MAX_LISTED])
    return f"{shown} and {more:,} more" if more > 0 else shown or "nothing that is read"
