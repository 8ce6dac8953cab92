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
    """A series' points beyond step `after`, at most so many; -1 starts at the beginning.

    Where raw points were let go (backend.store.retention) none is finer than the roll-up, whose
    bucket is left out where `after` cuts it.
    """
    head, first = _head(session, series, after)
    total, coarse = _extent(session, series, first)
    total += sum(bucket.n for bucket in head)
    if total <= most:
        rows = session.connection().execute(
            select(Point.step, Point.value)
            .where(col(Point.series_id) == series.id, col(Point.step) > after)
            .order_by(col(Point.step))
        )
        pairs = rows.all()
        if len(pairs) == total:
            steps, values = [row[0] for row in pairs], [row[1] for row in pairs]
            return Curve(series.run_id, series.key, total, steps, values)
    # Each level at most halves the buckets, so that many are surely needed; the database, which
    # joins faster than Python, takes them at once.
    sure = ((coarse + most - 1) // most - 1).bit_length() if coarse > most else 0
    rollup = _coarse(session, series, first, sure)
    if head:  # which may be of the same wide bucket as what follows
        rollup = merge(merge(head, sure) + rollup, 0)
    k = ROLLUP_LEVEL + sure
    while len(rollup) > most:
        rollup, k = merge(rollup, 1), k + 1
    if k == ROLLUP_LEVEL:
        k = level(rollup, most)
    buckets = _buckets(session, series, after, k) if k < ROLLUP_LEVEL else rollup
    if sum(bucket.n for bucket in buckets) != total:
        k, buckets = ROLLUP_LEVEL, rollup
    return Curve(
        series.run_id,
        series.key,
        total,
        [bucket.at << k for bucket in buckets],
        [bucket.mean for bucket in buckets],
        [bucket.low for bucket in buckets],
        [bucket.high for bucket in buckets],
    )


def _head(session: Session, series: Series, after: int) -> tuple[list[Bucket], int]:
    """The bucket of the stored roll-up that `after` cuts, of its points beyond; the bucket after
    it, or the one that begins beyond `after`."""
    first = (after + 1) >> ROLLUP_LEVEL
    if after + 1 == first << ROLLUP_LEVEL:
        return [], first
    return _buckets(session, series, after, ROLLUP_LEVEL, (first + 1) << ROLLUP_LEVEL), first + 1


def _extent(session: Session, series: Series, first: int) -> tuple[int, int]:
    """How many points and how many buckets the stored roll-up has from one bucket on."""
    asked = columns(func.coalesce(func.sum(Rollup.n), 0), func.count()).where(
        col(Rollup.series_id) == series.id, col(Rollup.bucket) >= first
    )
    points, buckets = session.connection().execute(asked).one()
    return int(points), buckets


def _coarse(session: Session, series: Series, first: int, shift: int) -> list[Bucket]:
    """The stored roll-up from one bucket on, joined into buckets 2^shift times wider."""
    index = col(Rollup.bucket).op("/")(text(str(1 << shift)))  # whole numbers: rounds down
    query = (
        columns(
            index,
            func.sum(Rollup.n),
            func.sum(Rollup.nulls),
            func.min(Rollup.low),
            func.max(Rollup.high),
            func.sum(Rollup.total),
        )
        .where(col(Rollup.series_id) == series.id, col(Rollup.bucket) >= first)
        .group_by(index)
        .order_by(index)
    )
    return [Bucket._make(row) for row in session.connection().execute(query).all()]


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
