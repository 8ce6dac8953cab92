"""Series as they are read: whole, or thinned to what a screen shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.tables import Point, Rollup, Series
from backend.thinning import ROLLUP_LEVEL, Bucket, level, merge


@dataclass(frozen=True)
class Curve:
    """A series, thinned where `low` and `high` are given."""

    run: str
    key: str
    total: int
    """Points in the asked range before thinning."""
    steps: list[int]
    """Steps, or the first step of each bucket."""
    values: list[float | None]
    """Values, or each bucket's mean."""
    low: list[float | None] | None = None
    high: list[float | None] | None = None


def find(session: Session, *, runs: Sequence[str], keys: Sequence[str]) -> list[Series]:
    """The series of these runs, in the runs' order; no keys stands for all."""
    query = select(Series).where(col(Series.run_id).in_(runs))
    if keys:
        query = query.where(col(Series.key).in_(keys))
    place = {run: index for index, run in enumerate(runs)}
    return sorted(session.exec(query).all(), key=lambda row: (place[row.run_id], row.key))


def read(session: Session, series: Series, *, after: int, most: int) -> Curve:
    """A series' points beyond step `after`, at most so many; -1 starts at the beginning."""
    rollup = _rollup(session, series, after)
    total = sum(bucket.n for bucket in rollup)
    if total <= most:
        rows = session.connection().execute(
            select(Point.step, Point.value)
            .where(col(Point.series_id) == series.id, col(Point.step) > after)
            .order_by(col(Point.step))
        )
        pairs = rows.all()
        return Curve(
            series.run_id, series.key, total, [row[0] for row in pairs], [row[1] for row in pairs]
        )
    k = level(rollup, most)
    if k >= ROLLUP_LEVEL:
        buckets = merge(rollup, k - ROLLUP_LEVEL)
    else:
        buckets = _buckets(session, series, after, k)
    return Curve(
        series.run_id,
        series.key,
        total,
        [bucket.at << k for bucket in buckets],
        [bucket.mean for bucket in buckets],
        [bucket.low for bucket in buckets],
        [bucket.high for bucket in buckets],
    )


def _rollup(session: Session, series: Series, after: int) -> list[Bucket]:
    """The stored roll-up; a bucket that `after` cuts is computed from its points beyond."""
    first = (after + 1) >> ROLLUP_LEVEL
    cut = (after + 1) != first << ROLLUP_LEVEL
    rows = session.connection().execute(
        columns(
            col(Rollup.bucket),
            col(Rollup.n),
            col(Rollup.nulls),
            col(Rollup.low),
            col(Rollup.high),
            col(Rollup.total),
        )
        .where(col(Rollup.series_id) == series.id, col(Rollup.bucket) >= first + cut)
        .order_by(col(Rollup.bucket))
    )
    whole = [Bucket._make(row) for row in rows.all()]
    if not cut:
        return whole
    return _buckets(session, series, after, ROLLUP_LEVEL, (first + 1) << ROLLUP_LEVEL) + whole


def _buckets(
    session: Session, series: Series, after: int, k: int, before: int | None = None
) -> list[Bucket]:
    """Buckets of 2^k steps from the raw points beyond `after`."""
    index = col(Point.step).op("/")(text(str(1 << k)))  # whole numbers: rounds down
    query = (
        columns(
            index,
            func.count(),
            func.count() - func.count(col(Point.value)),
            func.min(Point.value),
            func.max(Point.value),
            func.sum(Point.value),
        )
        .where(col(Point.series_id) == series.id, col(Point.step) > after)
        .group_by(index)
        .order_by(index)
    )
    if before is not None:
        query = query.where(col(Point.step) < before)
    return [Bucket._make(row) for row in session.connection().execute(query).all()]
