"""Arms of all comparisons: find them, read their settings and their values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import func, literal, true, union_all
from sqlalchemy import select as columns
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, exists, select

from backend.arms.trials import count_trials
from backend.comparisons.repository import stored_spec
from backend.comparisons.trained import best_trials, with_best
from backend.db.models import Comparison, Point, Rollup, Run, Series, Tag, Trial
from backend.errors import ConflictError
from backend.metrics.downsampling import ROLLUP_LEVEL
from backend.runs import search_progress
from backend.runs.progress import STATES_BY_IMPORTANCE, Counted, Tally
from backend.runs.search_progress import search_size
from contract.comparison.differences import iterate_settings
from contract.comparison.loss import stored_loss_name
from contract.comparison.spec import ComparisonSpec
from contract.metrics import TEST_LAST_PREFIX, TEST_PREFIX, Better

Sort = Literal["created_at", "comparison_name", "arm", "loss", "data", "state", "seeds"]

SEPARATOR: Final = "~"
"""Between a comparison's id and an arm's name, which together are the arm's reference."""


@dataclass(frozen=True)
class Arm:
    """One arm of one comparison."""

    comparison: Comparison
    name: str
    loss: str
    """Kind of its loss."""
    runs: list[Run] = field(default_factory=list)
    """Its final runs."""
    search: Counted = field(default_factory=Counted)
    """The runs of its trials, where the comparison is tuned."""
    best: Trial | None = None
    """The trial whose settings its final runs have."""

    @property
    def reference(self) -> str:
        """What identifies the arm in HTTP queries."""
        return f"{self.comparison.id}{SEPARATOR}{self.name}"

    @property
    def state(self) -> str:
        """The most important of its runs' states, as for a comparison."""
        counted = replace(self.search, final={run.state: Tally(runs=1) for run in self.runs})
        return search_progress.state(counted, search_size(self.comparison.spec, arms=1))


@dataclass(frozen=True)
class ArmQuery:
    """Which arms to find, and in which order; "" matches any."""

    q: str = ""
    """Words, each of which must occur in the name of the arm, or in the comparison's texts."""
    tag: str = ""
    loss: str = ""
    data: str = ""
    state: str = ""
    archived: bool = False
    """Whether to find arms of archived comparisons, or of the others."""
    sort: Sort = "created_at"
    descending: bool = True


_SORT_KEYS: Final[Mapping[Sort, Any]] = {
    "created_at": lambda arm: arm.comparison.created_at,
    "comparison_name": lambda arm: arm.comparison.name.casefold(),
    "arm": lambda arm: arm.name.casefold(),
    "loss": lambda arm: arm.loss,
    "data": lambda arm: arm.comparison.spec["data"]["kind"],
    "state": lambda arm: STATES_BY_IMPORTANCE.index(arm.state),
    "seeds": lambda arm: len(arm.comparison.spec["seeds"]),
}


class BestValue(NamedTuple):
    """The best point of one series."""

    run: str
    key: str
    step: int
    """The first step with this value."""
    value: float


def find(session: Session, wanted: ArmQuery, page: int, page_size: int) -> tuple[list[Arm], int]:
    """Return one page of the arms that match, and how many match in all.

    Arms that sort equal come newest first, and within a comparison in the order of its spec.
    """
    words = wanted.q.casefold().split()
    found = [
        arm
        for comparison in _matching_comparisons(
            session, tag=wanted.tag, data=wanted.data, archived=wanted.archived
        )
        for arm in _arms_of(comparison)
        if (not wanted.loss or arm.loss == wanted.loss) and _has_all_words(arm, words)
    ]
    if wanted.state or wanted.sort == "state":
        found = load_runs(session, found)
        found = [arm for arm in found if not wanted.state or arm.state == wanted.state]
    found.sort(key=_SORT_KEYS[wanted.sort], reverse=wanted.descending)
    shown = found[(page - 1) * page_size : page * page_size]
    return load_runs(session, shown), len(found)


def find_by_reference(session: Session, references: Iterable[str]) -> tuple[list[Arm], list[str]]:
    """Return the arms of these references in order, with their runs, and the unknown references."""
    asked = list(dict.fromkeys(references))
    pairs = [reference.partition(SEPARATOR) for reference in asked]
    known = _comparisons_by_id(session, [comparison for comparison, _, _ in pairs])
    arms = {arm.reference: arm for comparison in known.values() for arm in _arms_of(comparison)}
    found = [arms[reference] for reference in asked if reference in arms]
    return load_runs(session, found), [reference for reference in asked if reference not in arms]


def load_runs(session: Session, arms: Sequence[Arm]) -> list[Arm]:
    """Return the same arms with their runs, in the order of their seeds."""
    runs: dict[tuple[str, str], list[Run]] = {}
    for run in _runs_of(session, [arm.comparison.id for arm in arms]):
        runs.setdefault((run.comparison_id, run.arm), []).append(run)
    tuned = {arm.comparison.id for arm in arms if arm.comparison.spec.get("tuning") is not None}
    searches = count_trials(session, tuned)
    best = best_trials(session, tuned) if tuned else {}
    return [
        replace(
            arm,
            runs=runs.get((arm.comparison.id, arm.name), []),
            search=searches.get((arm.comparison.id, arm.name), Counted()),
            best=best.get(arm.comparison.id, {}).get(arm.name),
        )
        for arm in arms
    ]


def settings_of_arms(arms: Sequence[Arm]) -> list[dict[tuple[str, str], Any]]:
    """Return the settings of each arm by path, as `loss.margin`, and title.

    Of an arm that is tuned these are its best ones, as soon as it has final runs.

    One path may have two titles: the margin of ArcFace is an angle, that of other losses a
    distance. An arm whose spec this version cannot read has no settings; the other arms keep
    theirs.
    """
    specs: dict[str, ComparisonSpec | None] = {}
    settings = []
    for arm in arms:
        if arm.comparison.id not in specs:
            specs[arm.comparison.id] = _spec_or_none(arm.comparison)
        spec = specs[arm.comparison.id]
        if spec and arm.best:
            spec = with_best(spec, {arm.name: arm.best})
        found = _settings_of_arm(spec, arm.name) if spec else ()
        settings.append({(path, title): value for path, title, value in found})
    return settings


def differing_settings(
    settings: Sequence[Mapping[tuple[str, str], Any]],
) -> list[tuple[str, str]]:
    """Return which of the settings of several arms differ between the arms that have them."""
    paths = dict.fromkeys(path for of_arm in settings for path in of_arm)
    differ = []
    for path in paths:
        values = [of_arm[path] for of_arm in settings if path in of_arm]
        if any(value != values[0] for value in values):
            differ.append(path)
    return differ


def metric_keys(session: Session, runs: Sequence[str]) -> set[str]:
    """Return the keys of all series of these runs."""
    rows = session.exec(select(Series.key).where(col(Series.run_id).in_(runs)).distinct())
    return set(rows.all())


def test_steps(session: Session, runs: Sequence[str]) -> dict[str, int]:
    """Return the step at whose weights each run's `test.` values were read: the end of its best
    epoch."""
    rows = session.connection().execute(
        columns(col(Series.run_id), func.max(Point.step))
        .join(Point, col(Point.series_id) == Series.id)
        .where(
            col(Series.run_id).in_(runs),
            # A range, so that the index on the key is used: from the prefix up to the prefix with
            # its last character replaced by the next one.
            col(Series.key) >= TEST_PREFIX,
            col(Series.key) < TEST_PREFIX[:-1] + chr(ord(TEST_PREFIX[-1]) + 1),
            ~col(Series.key).startswith(TEST_LAST_PREFIX),
        )
        .group_by(col(Series.run_id))
    )
    return {row[0]: row[1] for row in rows}


def best_values(
    session: Session, *, runs: Sequence[str], key: str, better: Better
) -> list[BestValue]:
    """Return each run's best value of a metric after step 0, which is the untrained network."""
    extreme = func.max(Point.value) if better == "higher" else func.min(Point.value)
    best = (
        columns(col(Series.run_id), col(Series.id).label("series"), extreme.label("value"))
        .join(Point, col(Point.series_id) == Series.id)
        .where(col(Series.run_id).in_(runs), col(Series.key) == key, col(Point.step) > 0)
        .group_by(col(Series.run_id), col(Series.id))
        .subquery()
    )
    rows = session.connection().execute(
        columns(best.c.run_id, func.min(Point.step), best.c.value)
        .join(Point, (col(Point.series_id) == best.c.series) & (col(Point.value) == best.c.value))
        .where(col(Point.step) > 0)
        .group_by(best.c.run_id, best.c.value)
    )
    return [BestValue(run, key, step, value) for run, step, value in rows]


def bucket_means(
    session: Session, series: Sequence[int], k: int
) -> list[tuple[int, int, float | None]]:
    """Return (series, first step, mean) of every bucket of 2^k steps that may hold a point.

    `k` is below ROLLUP_LEVEL; with 0 these are the points themselves. The mean of a bucket without
    a finite value is None.
    """
    if k == 0:
        rows = session.connection().execute(
            columns(col(Point.series_id), col(Point.step), col(Point.value)).where(
                col(Point.series_id).in_(series)
            )
        )
        return [(one, step, value) for one, step, value in rows]
    # Each bucket reads its own range of the primary key. This is three times as fast as grouping
    # all points by a quotient, for which the database has to sort them.
    parts = 1 << (ROLLUP_LEVEL - k)
    part = union_all(*(columns(literal(i).label("i")) for i in range(parts))).subquery()
    first = (col(Rollup.bucket) * parts + part.c.i) * (1 << k)
    mean = (
        columns(func.avg(Point.value))
        .where(
            col(Point.series_id) == Rollup.series_id,
            col(Point.step) >= first,
            col(Point.step) < first + (1 << k),
        )
        .correlate(Rollup, part)
        .scalar_subquery()
    )
    rows = session.connection().execute(
        columns(col(Rollup.series_id), first, mean)
        .select_from(Rollup)
        .join(part, true())
        .where(col(Rollup.series_id).in_(series))
    )
    return [(one, step, value) for one, step, value in rows]


def values_at(
    session: Session, series: Sequence[int], steps: Sequence[int]
) -> list[tuple[int, int, float | None]]:
    """Return (series, step, value) of the points at these steps."""
    rows = session.connection().execute(
        columns(col(Point.series_id), col(Point.step), col(Point.value)).where(
            col(Point.series_id).in_(series), col(Point.step).in_(steps)
        )
    )
    return [(one, step, value) for one, step, value in rows]


def _matching_comparisons(
    session: Session, *, tag: str, data: str, archived: bool
) -> list[Comparison]:
    """Return archived comparisons, or the others, with this tag and kind of data, newest first.

    "" matches any tag or kind of data.
    """
    conditions: list[ColumnElement[bool]] = [col(Comparison.archived).is_(archived)]
    if tag:
        conditions.append(
            exists().where(col(Tag.comparison_id) == Comparison.id, col(Tag.tag) == tag)
        )
    if data:
        conditions.append(col(Comparison.spec)["data"]["kind"].as_string() == data)
    query = select(Comparison).where(*conditions)
    return list(
        session.exec(query.order_by(col(Comparison.created_at).desc(), col(Comparison.id))).all()
    )


def _comparisons_by_id(session: Session, ids: Iterable[str]) -> dict[str, Comparison]:
    """Return those of these comparisons that exist."""
    rows = session.exec(select(Comparison).where(col(Comparison.id).in_(set(ids)))).all()
    return {row.id: row for row in rows}


def _runs_of(session: Session, ids: Iterable[str]) -> list[Run]:
    """Return the final runs of these comparisons, in the order of their positions."""
    rows = session.exec(
        select(Run)
        .where(col(Run.comparison_id).in_(set(ids)), Run.role == "final")
        .order_by(col(Run.comparison_id), col(Run.position))
    )
    return list(rows.all())


def _arms_of(comparison: Comparison) -> Iterator[Arm]:
    for arm in comparison.spec["arms"]:
        yield Arm(comparison, arm["name"], stored_loss_name(arm["loss"]))


def _has_all_words(arm: Arm, words: Sequence[str]) -> bool:
    comparison = arm.comparison
    texts = (comparison.name, comparison.notes, *comparison.tags, arm.name)
    text = "\n".join(texts).casefold()
    return all(word in text for word in words)


def _spec_or_none(comparison: Comparison) -> ComparisonSpec | None:
    try:
        return stored_spec(comparison)
    except ConflictError:
        return None


def _settings_of_arm(spec: ComparisonSpec, name: str) -> Iterator[tuple[str, str, Any]]:
    arm = spec.arm(name)
    yield from iterate_settings("loss", arm.loss, arm.loss.kind)
    yield from iterate_settings("training", spec.training_of(arm), arm.loss.kind)
    yield from iterate_settings("encoder", spec.encoder)
    if spec.visual_encoder:
        yield from iterate_settings("visual_encoder", spec.visual_encoder)
    yield from iterate_settings("data", spec.data)
    yield from iterate_settings("measure", spec.measure)
    yield "replicate", "What varies", spec.replicate
