"""Series as they are read: whole, or thinned to what a screen shows.

Points of many series at once, as they are or joined into buckets, in a query or two.

Raw points are grouped only where buckets are finer than the finer stored roll-up: a database has
to sort what it groups by a quotient, which for hundreds of thousands of points takes long.
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
from backend.metrics.downsampling import FINE_LEVEL, ROLLUP_LEVEL, Bucket, level, merge

Ids = Sequence[int]
Buckets = dict[int, list[Bucket]]
"""Series id -> its buckets, rising; one without any is left out."""


def raw_points(
    session: Session, ids: Ids, after: int
) -> dict[int, tuple[list[int], list[float | None]]]:
    """Steps and values beyond a step."""
    if not ids:
        return {}
    rows = session.connection().execute(
        select(Point.series_id, Point.step, Point.value)
        .where(col(Point.series_id).in_(ids), col(Point.step) > after)
        .order_by(col(Point.series_id), col(Point.step))
    )
    return {
        series: ([row[1] for row in own], [row[2] for row in own])
        for series, own in _by_series(rows)
    }


def rollup_extents(session: Session, ids: Ids, first: int) -> dict[int, tuple[int, int]]:
    """How many points and how many buckets the coarser roll-up has from one bucket on."""
    rows = session.connection().execute(
        columns(col(Rollup.series_id), func.sum(Rollup.n), func.count())
        .where(col(Rollup.series_id).in_(ids), col(Rollup.bucket) >= first)
        .group_by(col(Rollup.series_id))
    )
    return {series: (int(n), buckets) for series, n, buckets in rows}


def coarse_buckets(session: Session, ids: Ids, first: int, shift: int) -> Buckets:
    """The coarser roll-up from one bucket on, joined into buckets 2^shift times wider."""
    return _read(session, _joined(Rollup, ids, first, shift))


def cut_bucket(session: Session, ids: Ids, after: int, k: int) -> Buckets:
    """The bucket of 2^k steps that `after` cuts, of its points beyond."""
    first = (after + 1) >> k
    if after + 1 == first << k:
        return {}
    end = (first + 1) << k
    return _read(session, _grouped_points(ids, after, k).where(col(Point.step) < end))


def fine_buckets(session: Session, ids: Ids, after: int, k: int) -> Buckets:
    """Buckets of 2^k steps beyond a step, finer than the coarser roll-up."""
    if k < FINE_LEVEL:
        return _read(session, _grouped_points(ids, after, k))
    heads = cut_bucket(session, ids, after, FINE_LEVEL)
    behind = (after + (1 << FINE_LEVEL)) >> FINE_LEVEL
    shift = k - FINE_LEVEL
    found = _read(session, _joined(FineRollup, ids, behind, shift))
    for series, head in heads.items():  # which may be of the same bucket as what follows
        found[series] = merge(merge(head, shift) + found.get(series, []), 0)
    return found


def _joined(
    table: type[Rollup] | type[FineRollup], ids: Ids, first: int, shift: int
) -> Select[Any]:
    asked = _by_bucket(
        col(table.series_id),
        col(table.bucket),
        shift,
        func.sum(table.n),
        func.sum(table.nulls),
        func.min(table.low),
        func.max(table.high),
        func.sum(table.total),
    )
    return asked.where(col(table.series_id).in_(ids), col(table.bucket) >= first)


def _grouped_points(ids: Ids, after: int, k: int) -> Select[Any]:
    asked = _by_bucket(
        col(Point.series_id),
        col(Point.step),
        k,
        func.count(),
        func.count() - func.count(col(Point.value)),
        func.min(Point.value),
        func.max(Point.value),
        func.sum(Point.value),
    )
    return asked.where(col(Point.series_id).in_(ids), col(Point.step) > after)


def _by_bucket(series: Any, place: Any, shift: int, *parts: Any) -> Select[Any]:
    """Selects (series, bucket of 2^shift places, the parts of a Bucket), rising."""
    index = place.op("/")(text(str(1 << shift)))  # whole numbers: rounds down
    return columns(series, index, *parts).group_by(series, index).order_by(series, index)


def _read(session: Session, query: Select[Any]) -> Buckets:
    rows = session.connection().execute(query)
    return {series: [Bucket._make(row[1:]) for row in own] for series, own in _by_series(rows)}


def _by_series(rows: Any) -> list[tuple[int, list[Any]]]:
    return [(series, list(own)) for series, own in groupby(rows.all(), key=itemgetter(0))]


PART: Final = 500
"""Series that one query asks for."""


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


def read(session: Session, series: Sequence[Series], *, after: int, most: int) -> list[Curve]:
    """Points beyond step `after`, at most so many of each series; -1 starts at the beginning.

    Where raw points were let go (backend.maintenance.retention) none is finer than the roll-up,
    whose bucket is left out where `after` cuts it.
    """
    curves: list[Curve] = []
    for at in range(0, len(series), PART):
        curves += _part(session, series[at : at + PART], after, most)
    return curves


def _part(session: Session, series: Sequence[Series], after: int, most: int) -> list[Curve]:
    ids = [_id(row) for row in series]
    heads = cut_bucket(session, ids, after, ROLLUP_LEVEL)
    first = (after + 1) >> ROLLUP_LEVEL
    if after + 1 != first << ROLLUP_LEVEL:
        first += 1  # the one before is cut
    extents = rollup_extents(session, ids, first)
    totals = {one: extents.get(one, (0, 0))[0] + _count(heads.get(one, [])) for one in ids}
    whole = raw_points(session, [one for one in ids if totals[one] <= most], after)
    whole = {one: columns for one, columns in whole.items() if len(columns[0]) == totals[one]}
    long = [one for one in ids if totals[one] and one not in whole]
    coarse = _coarse(
        session, {one: extents.get(one, (0, 0))[1] for one in long}, heads, first, most
    )
    thin = _thin(session, coarse, totals, after, most)
    return [_curve(row, totals[_id(row)], whole, thin) for row in series]


def _coarse(
    session: Session,
    counts: Mapping[int, int],
    heads: Buckets,
    first: int,
    most: int,
) -> dict[int, tuple[int, list[Bucket]]]:
    """The roll-up of each series, at most so many buckets, and what level they are of."""
    # Each level at most halves the buckets, so that many are surely needed; the database, which
    # joins faster than Python, takes them at once.
    shifts = {
        one: ((count + most - 1) // most - 1).bit_length() if count > most else 0
        for one, count in counts.items()
    }
    found: dict[int, tuple[int, list[Bucket]]] = {}
    for shift, ids in _by_number(shifts):
        rollups = coarse_buckets(session, ids, first, shift)
        for one in ids:
            rollup = rollups.get(one, [])
            if one in heads:  # which may be of the same wide bucket as what follows
                rollup = merge(merge(heads[one], shift) + rollup, 0)
            k = ROLLUP_LEVEL + shift
            while len(rollup) > most:
                rollup, k = merge(rollup, 1), k + 1
            found[one] = k, rollup
    return found


def _thin(
    session: Session,
    coarse: Mapping[int, tuple[int, list[Bucket]]],
    totals: Mapping[int, int],
    after: int,
    most: int,
) -> dict[int, tuple[int, list[Bucket]]]:
    """The finest buckets of each series that are no more than `most`, and their level."""
    found = dict(coarse)
    levels = {one: level(rollup, most) for one, (k, rollup) in coarse.items() if k == ROLLUP_LEVEL}
    for k, ids in _by_number(levels):
        if k >= ROLLUP_LEVEL:
            continue
        for one, own in fine_buckets(session, ids, after, k).items():
            if _count(own) == totals[one]:  # or points were let go
                found[one] = k, own
    return found


def _curve(
    row: Series,
    total: int,
    whole: Mapping[int, tuple[list[int], list[float | None]]],
    thin: Mapping[int, tuple[int, list[Bucket]]],
) -> Curve:
    own = _id(row)
    if own not in thin:
        steps, values = whole.get(own, ([], []))
        return Curve(row.run_id, row.key, total, steps, values)
    k, buckets = thin[own]
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
    """Each number with the series that have it."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for series, number in numbers.items():
        groups[number].append(series)
    yield from groups.items()


def _count(buckets: Sequence[Bucket]) -> int:
    return sum(bucket.n for bucket in buckets)


def _id(series: Series) -> int:
    assert series.id is not None, "it is of the database"
    return series.id
