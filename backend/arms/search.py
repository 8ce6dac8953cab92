"""Arms of all comparisons: find them, name them, tell their settings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlmodel import Session

from backend.arms import repository as store
from backend.comparisons.repository import Tally
from backend.comparisons.search import IMPORTANCE
from backend.comparisons.stored_spec import stored_spec
from backend.db.models import Comparison, Run
from backend.errors import ConflictError
from backend.runs.progress import state as pressing_state
from contract.comparison.differences import leaves
from contract.comparison.spec import ComparisonSpec

Sort = Literal["created_at", "comparison_name", "arm", "loss", "data", "state", "seeds"]

SEPARATOR: Final = "~"
"""Between a comparison's id and an arm's name, which together name an arm of all."""


@dataclass(frozen=True)
class Arm:
    """One arm of one comparison."""

    comparison: Comparison
    name: str
    loss: str
    """Its kind."""
    runs: list[Run] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """How a query names it."""
        return f"{self.comparison.id}{SEPARATOR}{self.name}"

    @property
    def state(self) -> str:
        """The most pressing of its runs' states."""
        return pressing_state({run.state: Tally() for run in self.runs})


@dataclass(frozen=True)
class Wanted:
    """Which arms, in which order; "" stands for any."""

    q: str = ""
    """Words that a comparison's name, notes or tags, or the arm's name, must all have."""
    tag: str = ""
    loss: str = ""
    data: str = ""
    state: str = ""
    archived: bool = False
    """Those of archived comparisons, or those of the others."""
    sort: Sort = "created_at"
    descending: bool = True


def find(session: Session, wanted: Wanted, page: int, page_size: int) -> tuple[list[Arm], int]:
    """One page of the arms that match, and how many match in all.

    Arms that are equal in what they are sorted by come newest first, in their specs' order.
    """
    words = wanted.q.casefold().split()
    found = [
        arm
        for comparison in store.comparisons(
            session, tag=wanted.tag, data=wanted.data, archived=wanted.archived
        )
        for arm in _arms(comparison)
        if (not wanted.loss or arm.loss == wanted.loss) and _has(arm, words)
    ]
    if wanted.state or wanted.sort == "state":
        found = with_runs(session, found)
        found = [arm for arm in found if not wanted.state or arm.state == wanted.state]
    found.sort(key=_KEYS[wanted.sort], reverse=wanted.descending)
    shown = found[(page - 1) * page_size : page * page_size]
    return with_runs(session, shown), len(found)


def named(session: Session, references: Iterable[str]) -> tuple[list[Arm], list[str]]:
    """The arms of these references in order, with their runs; and the references of none."""
    asked = list(dict.fromkeys(references))
    pairs = [reference.partition(SEPARATOR) for reference in asked]
    known = store.by_id(session, [comparison for comparison, _, _ in pairs])
    arms = {arm.reference: arm for comparison in known.values() for arm in _arms(comparison)}
    found = [arms[reference] for reference in asked if reference in arms]
    return with_runs(session, found), [reference for reference in asked if reference not in arms]


def with_runs(session: Session, arms: Sequence[Arm]) -> list[Arm]:
    """The same arms with their runs, in the order of their seeds."""
    runs: dict[tuple[str, str], list[Run]] = {}
    for run in store.runs_of(session, [arm.comparison.id for arm in arms]):
        runs.setdefault((run.comparison_id, run.arm), []).append(run)
    return [
        Arm(arm.comparison, arm.name, arm.loss, runs.get((arm.comparison.id, arm.name), []))
        for arm in arms
    ]


def settings(arms: Sequence[Arm]) -> list[dict[tuple[str, str], Any]]:
    """For each arm its settings by path, as `loss.margin`, and title.

    One path may have two titles: a margin of ArcFace, an angle, is not that of a distance. An arm
    whose spec this version cannot read has none, so that it takes no other arm with it.
    """
    specs: dict[str, ComparisonSpec | None] = {}
    made = []
    for arm in arms:
        if arm.comparison.id not in specs:
            specs[arm.comparison.id] = _readable(arm.comparison)
        spec = specs[arm.comparison.id]
        found = _settings(spec, arm.name) if spec else ()
        made.append({(path, title): value for path, title, value in found})
    return made


def differing(found: Sequence[Mapping[tuple[str, str], Any]]) -> list[tuple[str, str]]:
    """The settings that are not the same in all the arms that have them."""
    paths = dict.fromkeys(path for own in found for path in own)
    differ = []
    for path in paths:
        values = [own[path] for own in found if path in own]
        if any(value != values[0] for value in values):
            differ.append(path)
    return differ


def _readable(comparison: Comparison) -> ComparisonSpec | None:
    try:
        return stored_spec(comparison)
    except ConflictError:
        return None


def _settings(spec: ComparisonSpec, name: str) -> Iterator[tuple[str, str, Any]]:
    arm = spec.arm(name)
    yield from leaves("loss", arm.loss)
    yield from leaves("training", spec.training_of(arm))
    yield from leaves("encoder", spec.encoder)
    if spec.visual_encoder:
        yield from leaves("visual_encoder", spec.visual_encoder)
    yield from leaves("data", spec.data)
    yield from leaves("measure", spec.measure)


def _arms(comparison: Comparison) -> Iterator[Arm]:
    for arm in comparison.spec["arms"]:
        yield Arm(comparison, arm["name"], arm["loss"]["kind"])


def _has(arm: Arm, words: Sequence[str]) -> bool:
    own = arm.comparison
    text = "\n".join((own.name, own.notes, *own.tags, arm.name)).casefold()
    return all(word in text for word in words)


_KEYS: Final[Mapping[Sort, Any]] = {
    "created_at": lambda arm: arm.comparison.created_at,
    "comparison_name": lambda arm: arm.comparison.name.casefold(),
    "arm": lambda arm: arm.name.casefold(),
    "loss": lambda arm: arm.loss,
    "data": lambda arm: arm.comparison.spec["data"]["kind"],
    "state": lambda arm: IMPORTANCE.index(arm.state),
    "seeds": lambda arm: len(arm.comparison.spec["seeds"]),
}
