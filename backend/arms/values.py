"""Last, best and test values of arms of several comparisons, run by run and over the seeds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from backend.arms.repository import Arm, best_values, metric_keys, test_steps
from backend.db.models import Run
from backend.metrics import results
from backend.metrics.keys import RUNNING_COUNTS
from backend.metrics.run_figures import figures_of
from backend.metrics.run_statistics import EPOCHS_TO_COMMON
from contract.metrics import METRICS, TEST_PREFIX
from contract.statistics import deviation

_RUNNING_TOTALS: Final = (*RUNNING_COUNTS, "run.elapsed_s")
"""Per-step metrics of which the last value is taken. Of the others it is the mean of the last
epoch, as single steps are too noisy."""


@dataclass(frozen=True)
class RunValues:
    """Values of one metric of one run; None if not measured, or not finite."""

    run: Run
    last: float | None = None
    censored: bool = False
    """The last value is unknown, and more than `last`."""
    best: float | None = None
    """Best value on the validation split."""
    best_epoch: float | None = None
    test: float | None = None
    """Value on the test split."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a value over the seeds of an arm."""

    mean: float | None
    """None, as sd, if a value is censored."""
    sd: float | None
    """Standard deviation of the sample (n - 1); None for n < 2."""
    n: int
    censored: int = 0
    """Number of censored values."""


def spread(values: Sequence[float | None], censored: int = 0) -> Spread | None:
    """Return the spread of the finite ones of these values; None if there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if censored:
        return Spread(None, None, len(known), censored)
    return Spread(statistics.fmean(known), deviation(known), len(known))


def best_epochs(session: Session, arms: Sequence[Arm]) -> list[Spread | None]:
    """Return for each arm the epoch at which its test split was read: the best on validation."""
    steps = test_steps(session, [run.id for arm in arms for run in arm.runs])
    return [
        spread([_epoch(run, steps[run.id]) for run in arm.runs if run.id in steps]) for arm in arms
    ]


def available_metrics(session: Session, arms: Sequence[Arm]) -> list[str]:
    """Return the metrics that a run of these arms has, in the catalogue's order.

    Without the keys of test values.
    """
    runs = [run for arm in arms for run in arm.runs]
    found = metric_keys(session, [run.id for run in runs])
    if any(run.state == "succeeded" for run in runs):
        found |= {key for key, metric in METRICS.items() if metric.summary_only}
        found.discard(EPOCHS_TO_COMMON)  # it belongs to two runs
    return [key for key in METRICS if key in found and not key.startswith(TEST_PREFIX)]


def run_values(session: Session, arms: Sequence[Arm], key: str) -> list[list[RunValues]]:
    """Return for each arm its runs' values of one metric; failed runs are left out."""
    kept = [[run for run in arm.runs if run.state != "failed"] for arm in arms]
    runs = [run for of_arm in kept for run in of_arm]
    metric = METRICS[key]
    if metric.summary_only:
        known = {
            run: found.statistics[key]
            for run, found in figures_of(session, runs).items()
            if key in found.statistics
        }
        return [
            [
                RunValues(run, known[run.id].value, known[run.id].censored)
                for run in of_arm
                if run.id in known
            ]
            for of_arm in kept
        ]
    last = _last(session, arms, key)
    test = _last(session, arms, f"{TEST_PREFIX}{key}")
    best = {}
    if metric.better and not metric.per_step:
        ids = [run.id for run in runs]
        rows = best_values(session, runs=ids, key=key, better=metric.better)
        best = {row.run: row for row in rows}
    return [
        [
            RunValues(
                run,
                last=last.get(run.id),
                best=best[run.id].value if run.id in best else None,
                best_epoch=_epoch(run, best[run.id].step) if run.id in best else None,
                test=test.get(run.id),
            )
            for run in of_arm
            if run.id in last
        ]
        for of_arm in kept
    ]


def _last(session: Session, arms: Sequence[Arm], key: str) -> dict[str, float | None]:
    """Return the last value of a metric, or its mean over the last epoch, by run."""
    metric = METRICS.get(key)
    if metric is None:
        return {}
    mean = metric.per_step and key not in _RUNNING_TOTALS
    read = results.last_epoch_means if mean else results.last_values
    runs = [run.id for arm in arms for run in arm.runs]
    return {result.run: result.value for result in read(session, runs=runs, keys=[key])}


def _epoch(run: Run, step: int) -> float | None:
    return step / run.steps_per_epoch if run.steps_per_epoch else None
