"""Downsampling of a series to what a screen can show, without losing a spike.

Buckets are 2^k steps wide and start at multiples of their width, counted from step 0. So points
that arrive later never move a bucket; they can only make all buckets wider. Each bucket keeps the
mean, the minimum and the maximum of its values.

These are pure functions; backend.metrics.series applies them to the stored roll-ups.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

ROLLUP_LEVEL: Final = 8
"""The level k of the stored roll-up: 2^8 = 256 steps a bucket."""
FINE_LEVEL: Final = 4
"""The level of the stored fine roll-up, for curves of some 10,000 to 200,000 steps."""


class Bucket(NamedTuple):
    """All points of one range of steps."""

    at: int
    """The bucket's number: step // width."""
    n: int
    """Points, with or without a finite value."""
    nulls: int
    """Points without a finite value; they do not count in the fields below."""
    low: float | None
    high: float | None
    total: float | None
    """Sum of the finite values; None, as low and high, if there is none."""

    @property
    def mean(self) -> float | None:
        """Mean of the finite values; None if there is none."""
        finite = self.n - self.nulls
        return self.total / finite if finite and self.total is not None else None


def finest_level(rollup: Sequence[Bucket], limit: int) -> int:
    """Return the smallest k at which there are surely at most `limit` buckets of 2^k steps.

    Looks at the stored roll-up alone, not at the points. More points never make k smaller.
    `limit` must be at least 1.
    """
    for k in range(ROLLUP_LEVEL if len(rollup) <= limit else 0):
        parts = 1 << (ROLLUP_LEVEL - k)  # buckets of level k in one of the roll-up
        if sum(min(bucket.n, parts) for bucket in rollup) <= limit:
            return k
    indices = {bucket.at for bucket in rollup}
    k = ROLLUP_LEVEL
    while len(indices) > limit:
        indices = {index >> 1 for index in indices}
        k += 1
    return k


def merge_buckets(buckets: Iterable[Bucket], shift: int) -> list[Bucket]:
    """Join buckets, sorted by number, into buckets that are 2^shift times wider."""
    groups = groupby(buckets, key=lambda bucket: bucket[0] >> shift)
    return [_join(at, list(group)) for at, group in groups]


def buckets_of_points(steps: Sequence[int], values: Sequence[float | None]) -> list[Bucket]:
    """Return each point as a bucket one step wide; the steps are sorted."""
    return [
        Bucket(step, 1, 0, value, value, value)
        if value is not None
        else Bucket(step, 1, 1, None, None, None)
        for step, value in zip(steps, values, strict=True)
    ]


def extremes(
    steps: Sequence[int], values: Sequence[float | None]
) -> tuple[list[int], list[float | None]]:
    """Return the lowest, the highest and the last point, in the order of their steps.

    For live curves, where all points of one message share a pixel or two. The last point is the
    one that a page shows as the newest value.
    """
    finite = [(value, at) for at, value in enumerate(values) if value is not None]
    lowest_and_highest = {min(finite)[1], max(finite)[1]} if finite else set()
    kept = sorted({*lowest_and_highest, len(values) - 1})
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
