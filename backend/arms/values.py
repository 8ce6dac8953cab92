"""What arms of several comparisons came to: last, best and test values over their seeds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from backend.arms import repository as store
from backend.arms.repository import Arm
from backend.db.models import Run
from backend.metrics import results
from backend.metrics.measurements import RUNNING_COUNTS
from backend.metrics.results import Result
from backend.metrics.run_statistics import statistics_by_run
from contract.metrics import METRICS, TEST_PREFIX
from contract.statistics import deviation

_RUNNING_TOTALS: Final = (*RUNNING_COUNTS, "run.elapsed_s")
"""Per-step metrics whose last value stands for the run; of the others the last epoch's mean does,
as they are too noisy."""


@dataclass(frozen=True)
class RunValues:
    """One metric of one run; None for what it has not, or not finite."""

    run: Run
    last: float | None = None
    censored: bool = False
    """The last value is only known to be more than this."""
    best: float | None = None
    best_epoch: float | None = None
    test: float | None = None


@dataclass(frozen=True)
class Spread:
    """One number over the seeds of an arm."""

    mean: float | None
    """None, as sd, where a value is censored."""
    sd: float | None
    """Of the sample (n - 1); None for n < 2."""
    n: int
    censored: int = 0


def spread(values: Sequence[float | None], censored: int = 0) -> Spread | None:
    """The finite ones of these values; None if there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if censored:
        return Spread(None, None, len(known), censored)
    return Spread(statistics.fmean(known), deviation(known), len(known))


def best_epochs(session: Session, arms: Sequence[Arm]) -> list[Spread | None]:
    """For each arm the epoch that its test split was read at, its best by validation."""
    steps = store.test_steps(session, [run.id for arm in arms for run in arm.runs])
    return [
        spread([_epoch(run, steps[run.id]) for run in arm.runs if run.id in steps]) for arm in arms
    ]


def available(session: Session, arms: Sequence[Arm]) -> list[str]:
    """The metrics that a run of these arms has, test values aside, in the catalogue's order."""
    runs = [run for arm in arms for run in arm.runs]
    found = store.keys_of(session, [run.id for run in runs])
    if any(run.state == "succeeded" for run in runs):
        found |= {key for key, metric in METRICS.items() if metric.summary_only}
    return [key for key in METRICS if key in found and not key.startswith(TEST_PREFIX)]


def values(session: Session, arms: Sequence[Arm], key: str) -> list[list[RunValues]]:
    """For each arm its runs' values of one metric; those of failed runs do not count."""
    kept = [[run for run in arm.runs if run.state != "failed"] for arm in arms]
    runs = [run for own in kept for run in own]
    metric = METRICS[key]
    if metric.summary_only:
        found = statistics_by_run(session, runs)
        traced = {run: own[key] for run, own in found.items() if key in own}
        return [
            [
                RunValues(run, traced[run.id].value, traced[run.id].censored)
                for run in own
                if run.id in traced
            ]
            for own in kept
        ]
    last = _last(session, arms, key)
    test = _last(session, arms, f"{TEST_PREFIX}{key}")
    best = {}
    if metric.better and not metric.per_step:
        asked = [run.id for run in runs]
        rows = store.best_values(session, runs=asked, key=key, better=metric.better)
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
            for run in own
            if run.id in last
        ]
        for own in kept
    ]


def _last(session: Session, arms: Sequence[Arm], key: str) -> dict[str, float | None]:
    """What a run's metric came to, by run."""
    metric = METRICS.get(key)
    if metric is None:
        return {}
    mean = metric.per_step and key not in _RUNNING_TOTALS
    read = results.last_epoch_means if mean else results.last_values
    found: list[Result] = []
    for comparison in {arm.comparison.id for arm in arms}:
        found += read(session, comparison=comparison, keys=[key])
    return {result.run: result.value for result in found}


def _epoch(run: Run, step: int) -> float | None:
    return step / run.steps_per_epoch if run.steps_per_epoch else None
