"""Curves of arms of several comparisons: the mean over seeds with its interval, thinned alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from sqlmodel import Session

from backend.arms import repository as store
from backend.arms.repository import Arm
from backend.db.models import Run
from backend.metrics import series
from backend.metrics.downsampling import ROLLUP_LEVEL, Bucket, finest_level, merge_buckets
from backend.metrics.points import series_lacking_raw_points

Numbers = NDArray[np.float64]

_CLOCK = "run.elapsed_s"


@dataclass(frozen=True)
class ArmCurve:
    """One metric of one arm; NaN where there is no value."""

    runs: list[Run]
    """Those that have the metric."""
    width: int
    """Steps a point stands for: the mean of so many, anchored at step 0."""
    steps: list[int]
    """The first step of each point."""
    values: Numbers
    """[run, step]."""
    mean: Numbers
    """[step], over the runs that have a value there."""
    low: Numbers
    """The mean's 95 % interval by Student's t; NaN for fewer than two runs."""
    high: Numbers
    n: list[int]
    """Runs with a value at each step."""
    elapsed: Numbers | None = None
    """[step] seconds of training until that step, mean over the runs that have got there."""


def curves(
    session: Session, arms: Sequence[Arm], key: str, *, max_points: int, clock: bool
) -> list[ArmCurve]:
    """One curve an arm, each of at max_points `max_points` points.

    Args:
        session: to read with.
        arms: with their runs.
        key: the metric's.
        max_points: at least 1.
        clock: whether to read the elapsed time too.
    """
    runs = [run.id for arm in arms for run in arm.runs]
    ids = _ids(session, runs, key)
    clocks = _ids(session, runs, _CLOCK) if clock else {}
    stored = series.coarse_buckets(session, list(ids.values()), first=0, shift=0)
    rollups = {one: stored.get(one, []) for one in ids.values()}
    made = []
    for arm in arms:
        own = [run for run in arm.runs if run.id in ids]
        k = max((finest_level(rollups[ids[run.id]], max_points) for run in own), default=0)
        if k < ROLLUP_LEVEL and series_lacking_raw_points(session, [ids[run.id] for run in own]):
            k = ROLLUP_LEVEL  # their raw points were let go
        points = _points(session, [ids[run.id] for run in own], rollups, k)
        curve = _curve(own, ids, points, 1 << k)
        if clock:
            own_clocks = [clocks[run.id] for run in own if run.id in clocks]
            curve = replace(curve, elapsed=_elapsed(session, own_clocks, curve.steps))
        made.append(curve)
    return made


def _ids(session: Session, runs: Sequence[str], key: str) -> dict[str, int]:
    """The series of this key by run."""
    found = series.find(session, runs=runs, keys=[key])
    return {row.run_id: row.id for row in found if row.id is not None}


def _points(
    session: Session, ids: Sequence[int], rollups: dict[int, list[Bucket]], k: int
) -> list[tuple[int, int, float | None]]:
    """(series, first step, mean) of buckets of 2^k steps."""
    if k < ROLLUP_LEVEL:
        return store.means(session, ids, k) if ids else []
    return [
        (one, bucket.at << k, bucket.mean)
        for one in ids
        for bucket in merge_buckets(rollups[one], k - ROLLUP_LEVEL)
    ]


def _curve(
    runs: list[Run],
    ids: dict[str, int],
    points: list[tuple[int, int, float | None]],
    width: int,
) -> ArmCurve:
    found = [point for point in points if point[2] is not None]
    steps = sorted({step for _, step, _ in found})
    values = _matrix(found, [ids[run.id] for run in runs], steps)
    n = np.count_nonzero(~np.isnan(values), axis=0)
    mean, half = _interval(values, n)
    return ArmCurve(runs, width, steps, values, mean, mean - half, mean + half, n.tolist())


def _matrix(
    points: Sequence[tuple[int, int, float | None]], ids: Sequence[int], steps: Sequence[int]
) -> Numbers:
    """[series, step]; NaN where there is no point."""
    made = np.full((len(ids), len(steps)), np.nan)
    row = {one: index for index, one in enumerate(ids)}
    column = {step: index for index, step in enumerate(steps)}
    for one, step, value in points:
        made[row[one], column[step]] = np.nan if value is None else value
    return made


def _interval(values: Numbers, n: NDArray[np.int_]) -> tuple[Numbers, Numbers]:
    """Mean and half the 95 % interval of each column; NaN where it has too few numbers."""
    filled = np.nan_to_num(values)
    mean = np.divide(filled.sum(axis=0), n, out=np.full(len(n), np.nan), where=n > 0)
    squares = np.where(np.isnan(values), 0.0, (values - mean) ** 2).sum(axis=0)
    freedom = np.maximum(n - 1, 1)
    half = stdtrit(freedom, 0.975) * np.sqrt(squares / freedom / np.maximum(n, 1))
    return mean, np.where(n > 1, half, np.nan)


def _elapsed(session: Session, clocks: Sequence[int], steps: Sequence[int]) -> Numbers:
    """Mean seconds until these steps; the start, step 0, is at 0."""
    read = store.values_at(session, clocks, steps)
    times = _matrix(read, clocks, steps)
    n = np.count_nonzero(~np.isnan(times), axis=0)
    mean, _ = _interval(times, n)
    return np.where((np.array(steps) == 0) & np.isnan(mean), 0.0, mean)
