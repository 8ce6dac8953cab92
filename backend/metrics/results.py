"""Queries for single values of runs: last, untrained, mean of the last epoch, sum of each epoch."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, func, literal_column
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.db.models import Point, Run, Series


class Result(NamedTuple):
    """One value of a metric of a run."""

    run: str
    key: str
    step: int
    value: float | None


class EpochSum(NamedTuple):
    """The sum of all finite values of one series in one epoch."""

    run: str
    key: str
    epoch: int
    """Counts from 1; epoch 0 holds only the value of the untrained network."""
    total: float
    values: int
    """Number of values."""


def last_values(session: Session, *, runs: Sequence[str], keys: Sequence[str]) -> list[Result]:
    """Return the last point of each series of these runs."""
    last = (
        select(func.max(Point.step))
        .where(col(Point.series_id) == Series.id)
        .correlate(Series)
        .scalar_subquery()
    )
    rows = session.connection().execute(
        select(Series.run_id, Series.key, Point.step, Point.value)
        .join(Point, (col(Point.series_id) == Series.id) & (col(Point.step) == last))
        .where(col(Series.run_id).in_(runs), col(Series.key).in_(keys))
    )
    return [Result(*row) for row in rows]


def untrained_values(session: Session, *, runs: Sequence[str], keys: Sequence[str]) -> list[Result]:
    """Return the point at step 0 of each series of these runs that has one."""
    rows = session.connection().execute(
        select(Series.run_id, Series.key, Point.step, Point.value)
        .join(Point, (col(Point.series_id) == Series.id) & (col(Point.step) == 0))
        .where(col(Series.run_id).in_(runs), col(Series.key).in_(keys))
    )
    return [Result(*row) for row in rows]


def last_epoch_means(session: Session, *, runs: Sequence[str], keys: Sequence[str]) -> list[Result]:
    """Return the mean of each series of these runs over its run's last epoch.

    The last epoch is as many steps as an epoch has, counted back from the run's current step.
    """
    rows = session.connection().execute(
        select(Series.run_id, Series.key, func.max(Point.step), func.avg(Point.value))
        .join(Run, col(Run.id) == Series.run_id)
        .join(Point, col(Point.series_id) == Series.id)
        .where(
            col(Series.run_id).in_(runs),
            col(Series.key).in_(keys),
            col(Point.step) > col(Run.step) - col(Run.steps_per_epoch),
        )
        .group_by(col(Series.run_id), col(Series.key))
    )
    return [Result(*row) for row in rows]


def all_values(session: Session, *, runs: Sequence[str], key: str) -> list[Result]:
    """Return all points of a series that has few, sorted by run and step."""
    rows = session.connection().execute(
        select(Series.run_id, Series.key, Point.step, Point.value)
        .join(Point, col(Point.series_id) == Series.id)
        .where(col(Series.run_id).in_(runs), col(Series.key) == key)
        .order_by(col(Series.run_id), col(Point.step))
    )
    return [Result(*row) for row in rows]


def epoch_sums(session: Session, *, runs: Sequence[str], keys: Sequence[str]) -> list[EpochSum]:
    """Return each series' finite values added up by epoch; an epoch without one is left out."""
    # Step 1 is the first step of epoch 1. Between integers // is the database's division, which
    # rounds towards 0: a whole epoch is added first, otherwise step 0 would fall into epoch 1. The
    # 1 is written out, because PostgreSQL does not accept an expression with a parameter as one
    # that it groups by.
    width = col(Run.steps_per_epoch)
    epoch = (col(Point.step) + width - literal_column("1", BigInteger)) // width
    rows = session.connection().execute(
        columns(
            col(Series.run_id),
            col(Series.key),
            epoch,
            func.sum(Point.value),
            func.count(col(Point.value)),
        )
        .join(Run, col(Run.id) == Series.run_id)
        .join(Point, col(Point.series_id) == Series.id)
        .where(col(Run.id).in_(runs), width > 0, col(Series.key).in_(keys))
        .group_by(col(Series.run_id), col(Series.key), epoch)
        .order_by(col(Series.run_id), col(Series.key), epoch)
    )
    return [
        EpochSum(run, key, epoch_of_run, total, values)
        for run, key, epoch_of_run, total, values in rows
        if total is not None
    ]
