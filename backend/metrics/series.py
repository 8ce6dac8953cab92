"""Series as they are read: whole, or thinned to what a screen shows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from backend.db.models import Series
from backend.metrics import rollup as rolled
from backend.metrics.downsampling import ROLLUP_LEVEL, Bucket, level, merge

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
    heads = rolled.cut_bucket(session, ids, after, ROLLUP_LEVEL)
    first = (after + 1) >> ROLLUP_LEVEL
    if after + 1 != first << ROLLUP_LEVEL:
        first += 1  # the one before is cut
    extents = rolled.rollup_extents(session, ids, first)
    totals = {one: extents.get(one, (0, 0))[0] + _count(heads.get(one, [])) for one in ids}
    whole = rolled.raw_points(session, [one for one in ids if totals[one] <= most], after)
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
    heads: rolled.Buckets,
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
        rollups = rolled.coarse_buckets(session, ids, first, shift)
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
        for one, own in rolled.fine_buckets(session, ids, after, k).items():
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
