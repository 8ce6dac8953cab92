"""Down-sampling a series to what a screen can show, without losing a spike.

Buckets are 2^k steps wide and anchored at step 0, so that a bucket's place never depends on what
arrives later; the width only grows. Each bucket keeps mean, min and max.

Series that lack raw points: their roll-up counts more of them than there are; nothing else says
so. What of them may go goes from its beginning on, whole buckets from the second one.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, exists

from backend.db.models import Point, Rollup

ROLLUP_LEVEL: Final = 8
"""The level k of the stored roll-up: 2^8 = 256 steps a bucket."""
FINE_LEVEL: Final = 4
"""The level of the finer one beside it, for curves of some 10,000 to 200,000 steps."""


class Bucket(NamedTuple):
    """All points of one stretch of steps."""

    at: int
    """step // width."""
    n: int
    nulls: int
    """Points without a finite value; not in the sums."""
    low: float | None
    high: float | None
    total: float | None

    @property
    def mean(self) -> float | None:
        """Mean of the finite values; None if there is none."""
        finite = self.n - self.nulls
        return self.total / finite if finite and self.total is not None else None


def level(rollup: Sequence[Bucket], most: int) -> int:
    """The smallest k at which buckets of 2^k steps are surely no more than `most`.

    Rests on the stored roll-up alone. More points never make it smaller. `most` must be at
    least 1.
    """
    for k in range(ROLLUP_LEVEL if len(rollup) <= most else 0):
        fits = 1 << (ROLLUP_LEVEL - k)  # buckets of level k in one of the roll-up
        if sum(min(bucket.n, fits) for bucket in rollup) <= most:
            return k
    indices = {bucket.at for bucket in rollup}
    k = ROLLUP_LEVEL
    while len(indices) > most:
        indices = {index >> 1 for index in indices}
        k += 1
    return k


def merge(buckets: Iterable[Bucket], shift: int) -> list[Bucket]:
    """Join buckets, rising, into ones that are 2^shift times wider."""
    groups = groupby(buckets, key=lambda bucket: bucket[0] >> shift)
    return [_join(at, list(group)) for at, group in groups]


def of_points(steps: Sequence[int], values: Sequence[float | None]) -> list[Bucket]:
    """Each point, steps rising, as a bucket of width 1."""
    return [
        Bucket(step, 1, 0, value, value, value)
        if value is not None
        else Bucket(step, 1, 1, None, None, None)
        for step, value in zip(steps, values, strict=True)
    ]


def extremes(
    steps: Sequence[int], values: Sequence[float | None]
) -> tuple[list[int], list[float | None]]:
    """The lowest, the highest and the last point, in their order.

    For live curves, where a moment's points share a pixel or two; the last one is what a page
    shows as the newest value.
    """
    finite = [(value, at) for at, value in enumerate(values) if value is not None]
    spread = {min(finite)[1], max(finite)[1]} if finite else set()
    kept = sorted({*spread, len(values) - 1})
    return [steps[at] for at in kept], [values[at] for at in kept]


def _join(at: int, group: list[Bucket]) -> Bucket:
    _, counts, nulls, *sums = zip(*group, strict=True)
    if None in sums[2]:  # a bucket without a finite value
        sums = [tuple(x for x in column if x is not None) for column in sums]
    lows, highs, totals = sums
    return Bucket(
        at,
        sum(counts),
        sum(nulls),
        min(lows, default=None),
        max(highs, default=None),
        sum(totals) if totals else None,
    )


_WIDTH = 1 << ROLLUP_LEVEL


def query(series: Any) -> Select[Any]:
    """Selects those of these series, ids or a query of them, that lack raw points."""
    first = (
        columns(col(Rollup.series_id), func.min(Rollup.bucket).label("bucket"))
        .where(col(Rollup.series_id).in_(series), col(Rollup.bucket) > 0)
        .group_by(col(Rollup.series_id))
        .subquery()
    )
    start = first.c.bucket * _WIDTH
    there = exists().where(
        col(Point.series_id) == first.c.series_id,
        col(Point.step) >= start,
        col(Point.step) < start + _WIDTH,
    )
    return columns(first.c.series_id).where(~there)


def among(session: Session, series: Sequence[int]) -> set[int]:
    """Those of these series that lack raw points."""
    return {row[0] for row in session.connection().execute(query(series))}
