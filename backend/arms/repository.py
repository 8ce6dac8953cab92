"""What is read of arms of several comparisons at once."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import func, literal, true, union_all
from sqlalchemy import select as columns
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, exists, select

from backend.db.models import Comparison, Point, Rollup, Run, Series, Tag
from backend.metrics.downsampling import ROLLUP_LEVEL
from contract.metrics import TEST_PREFIX, Better


class BestValue(NamedTuple):
    """The best point of one series."""

    run: str
    key: str
    step: int
    """The earliest of those with this value."""
    value: float


def comparisons(session: Session, *, tag: str, data: str, archived: bool) -> list[Comparison]:
    """Those with this tag and kind of data ("" for any), newest first: archived ones or others."""
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


def by_id(session: Session, ids: Iterable[str]) -> dict[str, Comparison]:
    """Those of these comparisons that there are."""
    rows = session.exec(select(Comparison).where(col(Comparison.id).in_(set(ids)))).all()
    return {row.id: row for row in rows}


def runs_of(session: Session, ids: Iterable[str]) -> list[Run]:
    """The runs of these comparisons, each one's in their order."""
    rows = session.exec(
        select(Run)
        .where(col(Run.comparison_id).in_(set(ids)))
        .order_by(col(Run.comparison_id), col(Run.position))
    )
    return list(rows.all())


def keys_of(session: Session, runs: Sequence[str]) -> set[str]:
    """The keys of all series of these runs."""
    rows = session.exec(select(Series.key).where(col(Series.run_id).in_(runs)).distinct())
    return set(rows.all())


def test_steps(session: Session, runs: Sequence[str]) -> dict[str, int]:
    """The step at which each run's test split was read, its best epoch's; by run."""
    rows = session.connection().execute(
        columns(col(Series.run_id), func.max(Point.step))
        .join(Point, col(Point.series_id) == Series.id)
        .where(
            col(Series.run_id).in_(runs),
            # The range of the index that holds the prefix; its last character's successor ends it.
            col(Series.key) >= TEST_PREFIX,
            col(Series.key) < TEST_PREFIX[:-1] + chr(ord(TEST_PREFIX[-1]) + 1),
        )
        .group_by(col(Series.run_id))
    )
    return {row[0]: row[1] for row in rows}


def best_values(
    session: Session, *, runs: Sequence[str], key: str, better: Better
) -> list[BestValue]:
    """Each run's best value of a metric of trained networks; step 0 is none."""
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


def means(session: Session, series: Sequence[int], k: int) -> list[tuple[int, int, float | None]]:
    """(series, first step, mean) of every bucket of 2^k steps that may hold a point.

    `k` is below ROLLUP_LEVEL; with 0 these are the points themselves. A bucket without a finite
    value has None.
    """
    if k == 0:
        rows = session.connection().execute(
            columns(col(Point.series_id), col(Point.step), col(Point.value)).where(
                col(Point.series_id).in_(series)
            )
        )
        return [(one, step, value) for one, step, value in rows]
    # Each bucket asks for its own stretch of the primary key: three times as fast as grouping all
    # points by a quotient, which has to be sorted.
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
    """(series, step, value) at these steps, where there is a point."""
    rows = session.connection().execute(
        columns(col(Point.series_id), col(Point.step), col(Point.value)).where(
            col(Point.series_id).in_(series), col(Point.step).in_(steps)
        )
    )
    return [(one, step, value) for one, step, value in rows]
