"""Lets go, bit by bit, of what nobody needs: of old comparisons, and blobs that no row names, as of
a trainer killed between a blob and its message. The sweeper asks for it.

What may go of comparisons that are over: raw points that roll-ups stand for, most snapshots.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, func, literal_column
from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, exists, select

from backend.db.database import Database, Write
from backend.db.models import FineRollup, Point, Projection, Rollup, Run, Series, Snapshot
from backend.metrics.downsampling import FINE_LEVEL, ROLLUP_LEVEL
from backend.metrics.run_statistics import SOURCE_KEYS
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.storage.blobs import Blobs

MIN_POINTS: Final = 4_096
"""Points that a series may have and still be kept whole."""
PER_STEP_PREFIX: Final = "dynamics."
"""Only keys with this prefix are thinned: what is measured once an epoch is read point by point."""
_BUCKET_STEPS: Final = 1 << ROLLUP_LEVEL
_FINISHED: Final = ("succeeded", "failed", "cancelled")


class RawPoints(NamedTuple):
    """Whole buckets of a series whose raw points may go."""

    series: int
    end: int
    """The step behind the last; the first is that behind the first bucket."""


def finished_comparisons(session: Session, before: float) -> list[str]:
    """Comparisons all of whose runs were over before a time."""
    ended = select(Run.comparison_id).group_by(col(Run.comparison_id))
    rows = session.exec(
        ended.having(
            func.count() == func.count(col(Run.ended_at)), func.max(Run.ended_at) < before
        ).order_by(col(Run.comparison_id))
    )
    return list(rows.all())


def find_raw_points(
    session: Session, comparisons: Sequence[str], *, whole: Collection[str]
) -> list[RawPoints]:
    """What may go of these comparisons' per-step series, but for the keys that are kept whole.

    The first bucket and the last epoch stay as they were measured, so first and last values and the
    last epoch's means do not change.
    """
    width = literal_column(str(_BUCKET_STEPS), BigInteger)
    end = (col(Run.step) - col(Run.steps_per_epoch) + literal_column("1", BigInteger)) // width
    own = (col(Point.series_id) == col(Series.id), col(Point.step) >= _BUCKET_STEPS)
    counted = select(func.sum(Rollup.n)).where(col(Rollup.series_id) == col(Series.id))
    rows = session.connection().execute(
        columns(col(Series.id), end * width)
        .join(Run, col(Run.id) == col(Series.run_id))
        .where(
            col(Run.comparison_id).in_(comparisons),
            col(Run.state).in_(_FINISHED),
            col(Run.steps_per_epoch) > 0,
            col(Series.key).startswith(PER_STEP_PREFIX),
            col(Series.key).not_in(whole),
            exists().where(*own, col(Point.step) < end * width),
            counted.scalar_subquery() > MIN_POINTS,
        )
        .order_by(col(Series.id))
    )
    return [RawPoints(series, stop) for series, stop in rows if series is not None]


def delete_raw_points(write: Write, stretch: RawPoints, most: int) -> bool:
    """Delete up to about so many raw points, the earliest first; whether some are left.

    A run that went on meanwhile is left alone. One that might be retried starts at its beginning
    then: it could not go on behind points that are no more.
    """
    session = write.session
    run = session.exec(
        select(Run)
        .join(Series, col(Series.run_id) == col(Run.id))
        .where(Series.id == stretch.series)
    ).first()
    if run is None or run.state not in _FINISHED:
        return False
    runs.drop_checkpoint(write, run)
    own = (
        col(Point.series_id) == stretch.series,
        col(Point.step) >= _BUCKET_STEPS,
        col(Point.step) < stretch.end,
    )
    beyond = session.exec(
        select(Point.step).where(*own).order_by(col(Point.step)).offset(most).limit(1)
    ).first()
    end = stretch.end if beyond is None else beyond
    session.exec(delete(Point).where(*own, col(Point.step) < end))
    session.exec(
        delete(FineRollup).where(
            col(FineRollup.series_id) == stretch.series,
            col(FineRollup.bucket) >= _BUCKET_STEPS >> FINE_LEVEL,
            col(FineRollup.bucket) < end >> FINE_LEVEL,
        )
    )
    return beyond is not None


def find_inner_snapshots(session: Session, comparisons: Sequence[str]) -> list[str]:
    """Those of these comparisons of which a run has snapshots between its first and last."""
    rows = session.exec(
        select(Run.comparison_id)
        .join(Snapshot, col(Snapshot.run_id) == col(Run.id))
        .where(col(Run.comparison_id).in_(comparisons))
        .group_by(col(Run.comparison_id), col(Run.id))
        .having(func.count() > 2)
    )
    return sorted(set(rows.all()))


def delete_inner_snapshots(write: Write, comparison: str) -> None:
    """Delete all but the first and the last snapshot of each run, and what was projected of them,
    which is made anew when somebody looks. A comparison that went on meanwhile is left alone."""
    session = write.session
    own = runs.of_comparison(session, comparison)
    if any(run.state not in _FINISHED for run in own):
        return
    for run in own:
        epochs = session.exec(select(Snapshot.epoch).where(Snapshot.run_id == run.id)).all()
        session.exec(
            delete(Snapshot).where(
                col(Snapshot.run_id) == run.id,
                col(Snapshot.epoch).in_(set(epochs) - {min(epochs), max(epochs)} if epochs else []),
            )
        )
    session.exec(delete(Projection).where(col(Projection.comparison_id) == comparison))


PERIOD_S: Final = 3600.0
"""Between two looks for what has become old."""
POINTS_PER_STEP: Final = 20_000
"""Points that one transaction deletes."""
COMPARISONS_PER_QUERY: Final = 500
"""Comparisons that one query looks at."""
_DAY_S: Final = 86_400.0


class Retention:
    """Raw points and snapshots of comparisons that were over some days ago, and nobody's blobs.

    Not safe to use from several threads.
    """

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        *,
        raw_days: float | None,
        snapshot_days: float | None,
        clock: Callable[[], float],
    ) -> None:
        """None keeps them for ever."""
        self._database = database
        self._blobs = blobs
        self._raw_days = raw_days
        self._snapshot_days = snapshot_days
        self._clock = clock
        self._next = 0.0
        self._stretches: deque[RawPoints] = deque()
        self._crowded: deque[str] = deque()

    def step(self) -> bool:
        """Do a little, in one short transaction; whether there is more to do now."""
        if not self._stretches and not self._crowded:
            now = self._clock()
            if now < self._next:
                return False
            self._next = now + PERIOD_S
            self._look(now)
        if self._stretches:
            self._thin(self._stretches[0])
        elif self._crowded:
            self._keep_outermost(self._crowded.popleft())
        return bool(self._stretches or self._crowded)

    def _look(self, now: float) -> None:
        with self._database.read() as session:
            for old in _in_batches(session, now, self._raw_days):
                self._stretches.extend(find_raw_points(session, old, whole=SOURCE_KEYS))
            for old in _in_batches(session, now, self._snapshot_days):
                self._crowded.extend(find_inner_snapshots(session, old))
        snapshots.delete_all_unused_blobs(self._database, self._blobs, now)

    def _thin(self, stretch: RawPoints) -> None:
        with self._database.write() as write:
            more = delete_raw_points(write, stretch, POINTS_PER_STEP)
        self._blobs.delete(write.unused_blobs, self._clock())
        if not more:
            self._stretches.popleft()

    def _keep_outermost(self, comparison: str) -> None:
        with self._database.write() as write:
            before = snapshots.blob_kinds(write.session, comparison)
            delete_inner_snapshots(write, comparison)
        snapshots.delete_unused_blobs(self._database, self._blobs, before, self._clock())


def _in_batches(session: Session, now: float, days: float | None) -> Iterator[list[str]]:
    """The comparisons that were over so many days ago; none without a number."""
    old = [] if days is None else finished_comparisons(session, now - days * _DAY_S)
    for first in range(0, len(old), COMPARISONS_PER_QUERY):
        yield old[first : first + COMPARISONS_PER_QUERY]
