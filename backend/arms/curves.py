"""Curves of arms of several comparisons: the mean over seeds with its interval.

All seeds of an arm are downsampled to buckets of the same width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from sqlmodel import Session

from backend.arms.repository import Arm, bucket_means, values_at
from backend.db.models import Run
from backend.metrics import series
from backend.metrics.downsampling import ROLLUP_LEVEL, Bucket, finest_level, merge_buckets
from backend.metrics.points import series_lacking_raw_points
from contract.metrics import METRICS
from contract.statistics import FEWEST, Limits

Numbers = NDArray[np.float64]

_ELAPSED: Final = "run.elapsed_s"


@dataclass(frozen=True)
class ArmCurve:
    """The curve of one metric of one arm; NaN where there is no value."""

    runs: list[Run]
    """The runs that have the metric."""
    width: int
    """Steps whose mean one point is; buckets of this width are counted from step 0."""
    steps: list[int]
    """The first step of each point."""
    values: Numbers
    """[run, step]."""
    mean: Numbers
    """[step], over the runs that have a value there."""
    low: Numbers
    """Lower end of the mean's 95 % interval by Student's t, cut where the metric ends; NaN for
    fewer than three runs."""
    high: Numbers
    """Upper end of the interval."""
    n: list[int]
    """Runs with a value at each step."""
    elapsed: Numbers | None = None
    """[step], seconds of training until that step: the mean over the runs that have reached it."""


def arm_curves(
    session: Session, arms: Sequence[Arm], key: str, *, max_points: int, with_elapsed: bool
) -> list[ArmCurve]:
    """Return one curve an arm, each of at most `max_points` points.

    Args:
        session: to read with.
        arms: with their runs.
        key: of METRICS.
        max_points: at least 1.
        with_elapsed: whether to read the elapsed time too.
    """
    runs = [run.id for arm in arms for run in arm.runs]
    ids = _ids(session, runs, key)
    elapsed_ids = _ids(session, runs, _ELAPSED) if with_elapsed else {}
    stored = series.coarse_buckets(session, list(ids.values()), first=0, shift=0)
    rollups = {one: stored.get(one, []) for one in ids.values()}
    curves = []
    for arm in arms:
        arm_runs = [run for run in arm.runs if run.id in ids]
        arm_ids = [ids[run.id] for run in arm_runs]
        k = max((finest_level(rollups[one], max_points) for one in arm_ids), default=0)
        if k < ROLLUP_LEVEL and series_lacking_raw_points(session, arm_ids):
            k = ROLLUP_LEVEL
        points = _points(session, arm_ids, rollups, k)
        curve = _curve(arm_runs, ids, points, 1 << k, METRICS[key].bounds)
        if with_elapsed:
            clocks = [elapsed_ids[run.id] for run in arm_runs if run.id in elapsed_ids]
            curve = replace(curve, elapsed=_elapsed(session, clocks, curve.steps))
        curves.append(curve)
    return curves


def _ids(session: Session, runs: Sequence[str], key: str) -> dict[str, int]:
    """Return the ids of the series of this key, by run."""
    found = series.find(session, runs=runs, keys=[key])
    return {row.run_id: row.id for row in found if row.id is not None}


def _points(
    session: Session, ids: Sequence[int], rollups: dict[int, list[Bucket]], k: int
) -> list[tuple[int, int, float | None]]:
    """Return (series, first step, mean) of buckets of 2^k steps."""
    if k < ROLLUP_LEVEL:
        return bucket_means(session, ids, k) if ids else []
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
    bounds: Limits,
) -> ArmCurve:
    found = [point for point in points if point[2] is not None]
    steps = sorted({step for _, step, _ in found})
    values = _matrix(found, [ids[run.id] for run in runs], steps)
    n = np.count_nonzero(~np.isnan(values), axis=0)
    mean, half = _interval(values, n)
    low, high = (_within(end, bounds) for end in (mean - half, mean + half))
    return ArmCurve(runs, width, steps, values, mean, low, high, n.tolist())


def _matrix(
    points: Sequence[tuple[int, int, float | None]], ids: Sequence[int], steps: Sequence[int]
) -> Numbers:
    """Return the values as [series, step]; NaN where there is no point."""
    matrix = np.full((len(ids), len(steps)), np.nan)
    row = {one: index for index, one in enumerate(ids)}
    column = {step: index for index, step in enumerate(steps)}
    for one, step, value in points:
        matrix[row[one], column[step]] = np.nan if value is None else value
    return matrix


def _interval(values: Numbers, n: NDArray[np.int_]) -> tuple[Numbers, Numbers]:
    """Return mean and half the 95 % interval of each column; NaN where it has too few numbers."""
    filled = np.nan_to_num(values)
    mean = np.divide(filled.sum(axis=0), n, out=np.full(len(n), np.nan), where=n > 0)
    squares = np.where(np.isnan(values), 0.0, (values - mean) ** 2).sum(axis=0)
    freedom = np.maximum(n - 1, 1)
    half = stdtrit(freedom, 0.975) * np.sqrt(squares / freedom / np.maximum(n, 1))
    return mean, np.where(n >= FEWEST, half, np.nan)


def _within(ends: Numbers, bounds: Limits) -> Numbers:
    """Return the ends of intervals cut at the smallest and the largest value that can be."""
    smallest, largest = bounds
    return np.clip(ends, -np.inf if smallest is None else smallest, largest)


def _elapsed(session: Session, clocks: Sequence[int], steps: Sequence[int]) -> Numbers:
    """Return the mean seconds until these steps; step 0, the start, is at 0."""
    times = _matrix(values_at(session, clocks, steps), clocks, steps)
    n = np.count_nonzero(~np.isnan(times), axis=0)
    mean, _ = _interval(times, n)
    return np.where((np.array(steps) == 0) & np.isnan(mean), 0.0, mean)
