"""Sums of series over ranges of steps, exact also where raw points were deleted.

Whole buckets of a range are taken from the stored roll-up, so that a sum over a million steps reads
some thousand rows. Only the two buckets that a range cuts are read point by point; where one of
them lacks raw points (backend.maintenance.retention), the sum cannot be known.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlmodel import Session, col, select

from backend.db.models import Series
from backend.metrics.downsampling import ROLLUP_LEVEL

_WIDTH: Final = 1 << ROLLUP_LEVEL
_TERMS_PER_QUERY: Final = 240
"""Parts of one statement; SQLite takes 500."""

# Written by hand: one statement has many parts, and each of them is a scan of one range of a key.
_WHOLE_BUCKETS: Final = (
    "SELECT {at} AS at, 0 AS lacking, coalesce(sum(total), 0) AS total, "
    "coalesce(sum(n - nulls), 0) AS found "
    "FROM rollup WHERE series_id = {series} AND bucket >= {first}"
)
_CUT_BUCKET: Final = (
    "SELECT {at}, coalesce((SELECT n FROM rollup WHERE series_id = {series} AND bucket = {bucket}),"
    " 0) - count(*), coalesce(sum(CASE WHEN step >= {first} AND step < {end} THEN value END), 0), "
    "count(CASE WHEN step >= {first} AND step < {end} THEN value END) "
    "FROM point WHERE series_id = {series} AND step >= {low} AND step < {high}"
)


class Steps(NamedTuple):
    """A range of the steps of one metric."""

    key: str
    first: int
    end: int | None = None
    """The step after the last; None for all from `first` on."""


class Sum(NamedTuple):
    """The sum of the finite values of a series over a range."""

    total: float
    values: int

    @property
    def mean(self) -> float | None:
        """Mean of the values; None without one."""
        return self.total / self.values if self.values else None


NOTHING: Final = Sum(0.0, 0)


def step_sums(
    session: Session, wanted: Mapping[str, Sequence[Steps]]
) -> dict[str, dict[Steps, Sum | None]]:
    """Add up the finite values of series over ranges of steps.

    Args:
        session: a transaction.
        wanted: the ranges, by run.

    Returns:
        The sums by run; NOTHING where a run has no such series, None where the raw points that the
        sum needs were deleted.
    """
    ids = _series_ids(session, wanted)
    places = [(run, steps) for run, ranges in wanted.items() for steps in ranges]
    lacking: set[int] = set()
    totals = [0.0] * len(places)
    counts = [0] * len(places)
    terms = [
        term
        for at, (run, steps) in enumerate(places)
        if (run, steps.key) in ids
        for term in _terms(at, ids[run, steps.key], steps)
    ]
    connection = session.connection()
    for first in range(0, len(terms), _TERMS_PER_QUERY):
        rows = connection.exec_driver_sql(
            " UNION ALL ".join(terms[first : first + _TERMS_PER_QUERY])
        )
        for at, missing, total, found in rows:
            if missing:
                lacking.add(at)
            totals[at] += float(total)
            counts[at] += int(found)
    sums: dict[str, dict[Steps, Sum | None]] = {run: {} for run in wanted}
    for at, (run, steps) in enumerate(places):
        sums[run][steps] = None if at in lacking else Sum(totals[at], counts[at])
    return sums


def _series_ids(
    session: Session, wanted: Mapping[str, Sequence[Steps]]
) -> dict[tuple[str, str], int]:
    keys = {steps.key for ranges in wanted.values() for steps in ranges}
    rows = session.exec(
        select(Series.run_id, Series.key, Series.id).where(
            col(Series.run_id).in_(list(wanted)), col(Series.key).in_(keys)
        )
    )
    return {(run, key): series for run, key, series in rows if series is not None}


def _terms(at: int, series: int, steps: Steps) -> Iterator[str]:
    """Yield the parts of a statement whose rows add up to the sum of a range."""
    first, end = steps.first, steps.end
    above = -(-first // _WIDTH)  # the first bucket that is not cut at its beginning
    below = None if end is None else end // _WIDTH
    if first % _WIDTH:
        until = above * _WIDTH if end is None else min(end, above * _WIDTH)
        yield _cut(at, series, first, until)
    if below is None or above < below:
        part = _WHOLE_BUCKETS.format(at=at, series=series, first=above)
        yield part if below is None else f"{part} AND bucket < {below}"
    if end is not None and end % _WIDTH and end > above * _WIDTH:
        yield _cut(at, series, end // _WIDTH * _WIDTH, end)


def _cut(at: int, series: int, first: int, end: int) -> str:
    """Return the part for a range that lies within one bucket."""
    bucket = first // _WIDTH
    return _CUT_BUCKET.format(
        at=at,
        series=series,
        bucket=bucket,
        first=first,
        end=end,
        low=bucket * _WIDTH,
        high=(bucket + 1) * _WIDTH,
    )
