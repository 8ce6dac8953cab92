"""The numbers at the end of runs."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.tables import Point, Run, Series


class Result(NamedTuple):
    """One metric of one run."""

    run: str
    key: str
    step: int
    value: float | None


def last_values(session: Session, *, comparison: str, keys: Sequence[str]) -> list[Result]:
    """The last point of each series of a comparison."""
    last = (
        select(func.max(Point.step))
        .where(col(Point.series_id) == Series.id)
        .correlate(Series)
        .scalar_subquery()
    )
    rows = session.connection().execute(
        select(Series.run_id, Series.key, Point.step, Point.value)
        .join(Run, col(Run.id) == Series.run_id)
        .join(Point, (col(Point.series_id) == Series.id) & (col(Point.step) == last))
        .where(Run.comparison_id == comparison, col(Series.key).in_(keys))
    )
    return [Result(*row) for row in rows]


def last_epoch_means(session: Session, *, comparison: str, keys: Sequence[str]) -> list[Result]:
    """The mean over each run's last epoch's worth of steps."""
    rows = session.connection().execute(
        select(Series.run_id, Series.key, func.max(Point.step), func.avg(Point.value))
        .join(Run, col(Run.id) == Series.run_id)
        .join(Point, col(Point.series_id) == Series.id)
        .where(
            Run.comparison_id == comparison,
            col(Series.key).in_(keys),
            col(Point.step) > col(Run.step) - col(Run.steps_per_epoch),
        )
        .group_by(col(Series.run_id), col(Series.key))
    )
    return [Result(*row) for row in rows]
