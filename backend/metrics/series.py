"""Series as they are read: with all their points, or downsampled to what a screen shows.

Points of many series are read at once, in a query or two, as they are or joined into buckets.

Raw points are grouped only where buckets are finer than the fine stored roll-up: a database has to
sort what it groups by a quotient, which for hundreds of thousands of points takes long.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Select, func, text
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.db.models import FineRollup, Point, Rollup, Series
from backend.metrics.downsampling import (
    FINE_LEVEL,
    ROLLUP_LEVEL,
    Bucket,
    finest_level,
    merge_buckets,
)

Ids = Sequence[int]
Buckets = dict[int, list[Bucket]]
"""Series id -> its buckets, sorted; a series without any is left out."""
SERIES_PER_QUERY: Final = 500


@dataclass(frozen=True)
class Curve:
    """A series, downsampled if `low` and `high` are given."""

    run: str
    key: str
    total: int
    """Points in the requested range before downsampling."""
    steps: list[int]
    """Steps, or the first step of each bucket."""
    values: list[float | None]
    """Values, or each bucket's mean."""
    low: list[float | None] | None = None
    high: list[float | None] | None = None


def find(session: Session, *, runs: Sequence[str], keys: Sequence[str]) -> list[Series]:
    """Return the series of these runs, in the runs' order; no keys means all keys."""
    query = select(Series).where(col(Series.run_id).in_(runs))
    if keys:
        query = query.where(col(Series.key).in_(keys))
    place = {run: index for index, run in enumerate(runs)}
    return sorted(session.exec(query).all(), key=lambda row: (place[row.run_id], row.key))


def read(session: Session, series: Sequence[Series], *, after: int, max_points: int) -> list[Curve]:
    """Return the points of each series beyond step `after`, at most `max_points` of each.

    With `after` -1 they start at the beginning. Where raw points were deleted
    (backend.maintenance.retention) no curve is finer than the roll-up, and the bucket that `after`
    cuts is left out.
    """
    curves: list[Curve] = []
    for at in range(0, len(series), SERIES_PER_QUERY):
        curves += _read_part(session, series[at : at + SERIES_PER_QUERY], after, max_points)
    return curves


def _raw_points(
    session: Session, ids: Ids, after: int
) -> dict[int, tuple[list[int], list[float | None]]]:
    """Return steps and values beyond a step, by series."""
    if not ids:
        return {}
    rows = session.connection().execute(
        select(Point.series_id, Point.step, Point.value)
        .where(col(Point.series_id).in_(ids), col(Point.step) > after)
        .order_by(col(Point.series_id), col(Point.step))
    )
    return {
        series: ([row[1] for row in group], [row[2] for row in group])
        for series, group in _by_series(rows)
    }


def _rollup_extents(session: Session, ids: Ids, first: int) -> dict[int, tuple[int, int]]:
    """Return how many points and buckets the coarse roll-up has from bucket `first` on."""
    rows = session.connection().execute(
        columns(col(Rollup.series_id), func.sum(Rollup.n), func.count())
        .where(col(Rollup.series_id).in_(ids), col(Rollup.bucket) >= first)
        .group_by(col(Rollup.series_id))
    )
    return {series: (int(n), buckets) for series, n, buckets in rows}


def coarse_buckets(session: Session, ids: Ids, first: int, shift: int) -> Buckets:
    """Return the coarse roll-up from bucket `first` on, joined into 2^shift times wider ones."""
    return _read_buckets(session, _joined(Rollup, ids, first, shift))


def _cut_bucket(session: Session, ids: Ids, after: int, k: int) -> Buckets:
    """Return the bucket of 2^k steps that `after` cuts, of its points beyond `after` only."""
    first = (after + 1) >> k
    if after + 1 == first << k:
        return {}
    end = (first + 1) << k
    return _read_buckets(session, _grouped_points(ids, after, k).where(col(Point.step) < end))


def _fine_buckets(session: Session, ids: Ids, after: int, k: int) -> Buckets:
    """Return buckets of 2^k steps beyond a step, for k below that of the coarse roll-up."""
    if k < FINE_LEVEL:
        return _read_buckets(session, _grouped_points(ids, after, k))
    heads = _cut_bucket(session, ids, after, FINE_LEVEL)
    behind = (after + (1 << FINE_LEVEL)) >> FINE_LEVEL
    shift = k - FINE_LEVEL
    found = _read_buckets(session, _joined(FineRollup, ids, behind, shift))
    for series, head in heads.items():  # the head may lie in the same bucket as what follows
        found[series] = merge_buckets(merge_buckets(head, shift) + found.get(series, []), 0)
    return found


def _joined(
    table: type[Rollup] | type[FineRollup], ids: Ids, first: int, shift: int
) -> Select[Any]:
    query = _by_bucket(
        col(table.series_id),
        col(table.bucket),
        shift,
        func.sum(table.n),
        func.sum(table.nulls),
        func.min(table.low),
        func.max(table.high),
        func.sum(table.total),
    )
    return query.where(col(table.series_id).in_(ids), col(table.bucket) >= first)


def _grouped_points(ids: Ids, after: int, k: int) -> Select[Any]:
    query = _by_bucket(
        col(Point.series_id),
        col(Point.step),
        k,
        func.count(),
        func.count() - func.count(col(Point.value)),
        func.min(Point.value),
        func.max(Point.value),
        func.sum(Point.value),
    )
    return query.where(col(Point.series_id).in_(ids), col(Point.step) > after)


def _by_bucket(series: Any, place: Any, shift: int, *parts: Any) -> Select[Any]:
    """Select (series, place // 2^shift, the other fields of a Bucket), sorted."""
    index = place.op("/")(text(str(1 << shift)))  # whole numbers: rounds down
    return columns(series, index, *parts).group_by(series, index).order_by(series, index)


def _read_buckets(session: Session, query: Select[Any]) -> Buckets:
    rows = session.connection().execute(query)
    return {series: [Bucket._make(row[1:]) for row in group] for series, group in _by_series(rows)}


def _by_series(rows: Any) -> list[tuple[int, list[Any]]]:
    return [(series, list(group)) for series, group in groupby(rows.all(), key=itemgetter(0))]


def _read_part(
    session: Session, series: Sequence[Series], after: int, max_points: int
) -> list[Curve]:
    ids = [_id(row) for row in series]
    heads = _cut_bucket(session, ids, after, ROLLUP_LEVEL)
    first = (after + 1) >> ROLLUP_LEVEL
    if after + 1 != first << ROLLUP_LEVEL:
        first += 1  # the one before is cut
    extents = _rollup_extents(session, ids, first)
    totals = {one: extents.get(one, (0, 0))[0] + _count(heads.get(one, [])) for one in ids}
    whole = _raw_points(session, [one for one in ids if totals[one] <= max_points], after)
    whole = {one: columns for one, columns in whole.items() if len(columns[0]) == totals[one]}
    long = [one for one in ids if totals[one] and one not in whole]
    coarse = _coarse(
        session, {one: extents.get(one, (0, 0))[1] for one in long}, heads, first, max_points
    )
    downsampled = _downsample(session, coarse, totals, after, max_points)
    return [_curve(row, totals[_id(row)], whole, downsampled) for row in series]


def _coarse(
    session: Session,
    counts: Mapping[int, int],
    heads: Buckets,
    first: int,
    max_points: int,
) -> dict[int, tuple[int, list[Bucket]]]:
    """Return the roll-up of each series, in at most `max_points` buckets, after their level."""
    # Each level at most halves the number of buckets, so at least `shift` levels are needed. The
    # database joins faster than Python, so it takes all of them at once.
    shifts = {
        one: ((count + max_points - 1) // max_points - 1).bit_length() if count > max_points else 0
        for one, count in counts.items()
    }
    found: dict[int, tuple[int, list[Bucket]]] = {}
    for shift, ids in _by_number(shifts):
        rollups = coarse_buckets(session, ids, first, shift)
        for one in ids:
            rollup = rollups.get(one, [])
            if one in heads:  # the head may lie in the same wide bucket as what follows
                rollup = merge_buckets(merge_buckets(heads[one], shift) + rollup, 0)
            k = ROLLUP_LEVEL + shift
            while len(rollup) > max_points:
                rollup, k = merge_buckets(rollup, 1), k + 1
            found[one] = k, rollup
    return found


def _downsample(
    session: Session,
    coarse: Mapping[int, tuple[int, list[Bucket]]],
    totals: Mapping[int, int],
    after: int,
    max_points: int,
) -> dict[int, tuple[int, list[Bucket]]]:
    """Return the finest buckets of each series, at most `max_points`, after their level."""
    found = dict(coarse)
    levels = {
        one: finest_level(rollup, max_points)
        for one, (k, rollup) in coarse.items()
        if k == ROLLUP_LEVEL
    }
    for k, ids in _by_number(levels):
        if k >= ROLLUP_LEVEL:
            continue
        for one, buckets in _fine_buckets(session, ids, after, k).items():
            if _count(buckets) == totals[one]:  # otherwise raw points were deleted
                found[one] = k, buckets
    return found


def _curve(
    row: Series,
    total: int,
    whole: Mapping[int, tuple[list[int], list[float | None]]],
    downsampled: Mapping[int, tuple[int, list[Bucket]]],
) -> Curve:
    series = _id(row)
    if series not in downsampled:
        steps, values = whole.get(series, ([], []))
        return Curve(row.run_id, row.key, total, steps, values)
    k, buckets = downsampled[series]
    return Curve(
        row.run_id,
        row.key,
        total,
        [bucket.at << k for bucket in buckets],
        [bucket.mean for bucket in buckets],
        [bucket.low for bucket in buckets],
        [bucket.high for bucket in buckets],
    )


def _by_number(numbers: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
    """Yield each number with the series that have it."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for series, number in numbers.items():
        groups[number].append(series)
    yield from groups.items()


def _count(buckets: Sequence[Bucket]) -> int:
    return sum(bucket.n for bucket in buckets)


def _id(series: Series) -> int:
    assert series.id is not None, "it was read from the database"
    return series.id
