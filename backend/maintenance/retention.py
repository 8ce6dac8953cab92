"""Delete old data that is not needed any more, in small steps; the sweeper calls it.

Of comparisons that have been over for some days these may go: raw points that roll-ups replace, and
all snapshots but the first and the last. Uploads whose questions nobody has answered for a week go.
Blobs that no row names go too, for example those of a trainer that was killed between a blob and
its message.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, func, literal_column, or_
from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, exists, select

from backend.datasets import repository as datasets
from backend.datasets.repository import Uploads
from backend.db.database import Database, Write
from backend.db.models import FineRollup, Point, Projection, Rollup, Run, Series, Snapshot
from backend.metrics.downsampling import FINE_LEVEL, ROLLUP_LEVEL
from backend.metrics.run_figures import has_current_figures
from backend.metrics.run_statistics import SOURCE_KEYS
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.storage.blobs import Blobs

PERIOD_S: Final = 3600.0
"""Seconds between two searches for old data."""
POINTS_PER_STEP: Final = 20_000
"""Points that one transaction deletes."""
COMPARISONS_PER_QUERY: Final = 500
"""Comparisons that one query looks at."""
MIN_POINTS: Final = 4_096
"""A series with at most this many points is kept whole."""
PER_STEP_PREFIX: Final = "dynamics."
"""Only keys with this prefix are thinned; what is measured once an epoch is read point by point."""
_BUCKET_STEPS: Final = 1 << ROLLUP_LEVEL
_FINISHED: Final = ("succeeded", "failed", "cancelled")
_DAY_S: Final = 86_400.0
UNANSWERED_S: Final = 7 * _DAY_S
"""Age at which an upload whose questions nobody answered is deleted."""


class RawPoints(NamedTuple):
    """The raw points of a series that may be deleted: whole buckets."""

    series: int
    end: int
    """The step after the last; the first step is the one after the first bucket."""


class Retention:
    """Deletes raw points and snapshots of comparisons that ended some days ago, uploads that wait
    for answers, and unused blobs.

    Not safe to use from several threads.
    """

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        uploads: Uploads,
        *,
        raw_days: float | None,
        snapshot_days: float | None,
        clock: Callable[[], float],
    ) -> None:
        """Set the days after which data is deleted; None keeps it for ever."""
        self._database = database
        self._blobs = blobs
        self._uploads = uploads
        self._raw_days = raw_days
        self._snapshot_days = snapshot_days
        self._clock = clock
        self._next = 0.0
        self._raw_points: deque[RawPoints] = deque()
        self._with_inner_snapshots: deque[str] = deque()

    def step(self) -> bool:
        """Do a little, in one short transaction; return whether there is more to do now."""
        if not self._raw_points and not self._with_inner_snapshots:
            now = self._clock()
            if now < self._next:
                return False
            self._next = now + PERIOD_S
            self._search(now)
        if self._raw_points:
            self._delete_raw_points(self._raw_points[0])
        elif self._with_inner_snapshots:
            self._delete_inner_snapshots(self._with_inner_snapshots.popleft())
        return bool(self._raw_points or self._with_inner_snapshots)

    def _search(self, now: float) -> None:
        with self._database.read() as session:
            for old in _in_batches(session, now, self._raw_days):
                self._raw_points.extend(find_raw_points(session, old, whole=SOURCE_KEYS))
            for old in _in_batches(session, now, self._snapshot_days):
                self._with_inner_snapshots.extend(find_inner_snapshots(session, old))
        snapshots.delete_all_unused_blobs(self._database, self._blobs, now)
        self._delete_unanswered(now - UNANSWERED_S)

    def _delete_unanswered(self, before: float) -> None:
        with self._database.read() as session:
            old = datasets.find_unanswered(session, before)
        for dataset in old:
            with self._database.write() as write:
                # Somebody may have answered meanwhile; then the row is gone.
                if datasets.find(write.session, dataset):
                    datasets.remove(write, dataset)
                    self._uploads.remove(dataset)

    def _delete_raw_points(self, raw: RawPoints) -> None:
        with self._database.write() as write:
            more = delete_raw_points(write, raw, POINTS_PER_STEP)
        self._blobs.delete(write.unused_blobs, self._clock())
        if not more:
            self._raw_points.popleft()

    def _delete_inner_snapshots(self, comparison: str) -> None:
        with self._database.write() as write:
            before = snapshots.blob_kinds(write.session, comparison)
            delete_inner_snapshots(write, comparison)
        snapshots.delete_unused_blobs(self._database, self._blobs, before, self._clock())


def _in_batches(session: Session, now: float, days: float | None) -> Iterator[list[str]]:
    """Yield the comparisons that ended so many days ago; none if `days` is None."""
    old = [] if days is None else finished_comparisons(session, now - days * _DAY_S)
    for first in range(0, len(old), COMPARISONS_PER_QUERY):
        yield old[first : first + COMPARISONS_PER_QUERY]


def finished_comparisons(session: Session, before: float) -> list[str]:
    """Return the comparisons all of whose runs ended before a time."""
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
    """Return the raw points of these comparisons' per-step series that may be deleted.

    The first bucket and the last epoch stay as they were measured, so first and last values and the
    last epoch's means do not change. A final run that has succeeded keeps all until its figures
    are stored, which need them.

    Args:
        session: a read transaction.
        comparisons: where to look.
        whole: keys of series that are kept whole.
    """
    width = literal_column(str(_BUCKET_STEPS), BigInteger)
    end = (col(Run.step) - col(Run.steps_per_epoch) + literal_column("1", BigInteger)) // width
    deletable = (col(Point.series_id) == col(Series.id), col(Point.step) >= _BUCKET_STEPS)
    point_count = select(func.sum(Rollup.n)).where(col(Rollup.series_id) == col(Series.id))
    rows = session.connection().execute(
        columns(col(Series.id), end * width)
        .join(Run, col(Run.id) == col(Series.run_id))
        .where(
            col(Run.comparison_id).in_(comparisons),
            col(Run.state).in_(_FINISHED),
            or_(col(Run.state) != "succeeded", col(Run.role) != "final", has_current_figures()),
            col(Run.steps_per_epoch) > 0,
            col(Series.key).startswith(PER_STEP_PREFIX),
            col(Series.key).not_in(whole),
            exists().where(*deletable, col(Point.step) < end * width),
            point_count.scalar_subquery() > MIN_POINTS,
        )
        .order_by(col(Series.id))
    )
    return [RawPoints(series, stop) for series, stop in rows if series is not None]


def delete_raw_points(write: Write, raw: RawPoints, limit: int) -> bool:
    """Delete about `limit` raw points, the earliest first; return whether some are left.

    A run that is active again is left alone. A run that might be retried loses its checkpoint, so
    that it starts at its beginning: it could not continue after points that do not exist any more.
    """
    session = write.session
    run = session.exec(
        select(Run).join(Series, col(Series.run_id) == col(Run.id)).where(Series.id == raw.series)
    ).first()
    if run is None or run.state not in _FINISHED:
        return False
    runs.drop_checkpoint(write, run)
    deletable = (
        col(Point.series_id) == raw.series,
        col(Point.step) >= _BUCKET_STEPS,
        col(Point.step) < raw.end,
    )
    beyond = session.exec(
        select(Point.step).where(*deletable).order_by(col(Point.step)).offset(limit).limit(1)
    ).first()
    end = raw.end if beyond is None else beyond
    session.exec(delete(Point).where(*deletable, col(Point.step) < end))
    session.exec(
        delete(FineRollup).where(
            col(FineRollup.series_id) == raw.series,
            col(FineRollup.bucket) >= _BUCKET_STEPS >> FINE_LEVEL,
            col(FineRollup.bucket) < end >> FINE_LEVEL,
        )
    )
    return beyond is not None


def find_inner_snapshots(session: Session, comparisons: Sequence[str]) -> list[str]:
    """Return those comparisons that have a run with snapshots between its first and last."""
    rows = session.exec(
        select(Run.comparison_id)
        .join(Snapshot, col(Snapshot.run_id) == col(Run.id))
        .where(col(Run.comparison_id).in_(comparisons))
        .group_by(col(Run.comparison_id), col(Run.id))
        .having(func.count() > 2)
    )
    return sorted(set(rows.all()))


def delete_inner_snapshots(write: Write, comparison: str) -> None:
    """Delete all but the first and the last snapshot of each run, and the comparison's projections,
    which are computed again on demand. A comparison that is active again is left alone."""
    session = write.session
    all_runs = runs.of_comparison(session, comparison, "all")
    if any(run.state not in _FINISHED for run in all_runs):
        return
    for run in all_runs:
        epochs = session.exec(select(Snapshot.epoch).where(Snapshot.run_id == run.id)).all()
        session.exec(
            delete(Snapshot).where(
                col(Snapshot.run_id) == run.id,
                col(Snapshot.epoch).in_(set(epochs) - {min(epochs), max(epochs)} if epochs else []),
            )
        )
    session.exec(delete(Projection).where(col(Projection.comparison_id) == comparison))
