"""Arms x metrics with their uncertainty over seeds."""

import math
import statistics
from typing import Final

from pydantic import BaseModel
from scipy.special import stdtrit
from sqlmodel import Session

from backend.store import results, runs
from backend.store.results import Result
from backend.tables import Comparison, Run
from contract.metrics import METRICS, Better

EPOCH_MEANS: Final = ("dynamics.loss", "dynamics.active_ratio", "dynamics.gradient_norm")
"""Too noisy for a last value: the last epoch's mean stands for them."""


class Value(BaseModel):
    """One run's result."""

    seed: int
    value: float | None
    step: int


class ArmSummary(BaseModel):
    """One metric of one arm over its seeds."""

    arm: str
    n: int
    """Seeds with a finite value."""
    mean: float | None
    sd: float | None
    """Of the sample (n - 1); null for n < 2, as the interval."""
    low: float | None
    """The 95 % interval of the mean, by Student's t."""
    high: float | None
    values: list[Value]


class MetricSummary(BaseModel):
    """One metric of all arms."""

    key: str
    label: str
    better: Better
    arms: list[ArmSummary]


class Summary(BaseModel):
    """What the table at the end of a comparison shows."""

    metrics: list[MetricSummary]
    runs_finished: int
    """Runs that succeeded. What the others have measured so far counts too, failed ones' not."""
    runs_total: int


def summarise(session: Session, comparison: Comparison) -> Summary:
    """Each run's last value of every held-out metric, and its last epoch's mean dynamics."""
    own = {run.id: run for run in runs.of(session, comparison.id)}
    evaluated = [key for key, metric in METRICS.items() if not metric.per_step]
    found = [
        *results.last_epoch_means(session, comparison=comparison.id, keys=EPOCH_MEANS),
        *results.last_values(session, comparison=comparison.id, keys=evaluated),
    ]
    arms = [arm["name"] for arm in comparison.spec["arms"]]
    by_key: dict[str, list[Result]] = {}
    for result in found:
        if own[result.run].state != "failed":
            by_key.setdefault(result.key, []).append(result)
    return Summary(
        metrics=[
            MetricSummary(
                key=key,
                label=METRICS[key].label,
                better=METRICS[key].better,
                arms=[_arm(arm, by_key[key], own) for arm in arms],
            )
            for key in METRICS
            if key in by_key
        ],
        runs_finished=sum(run.state == "succeeded" for run in own.values()),
        runs_total=len(own),
    )


def interval(values: list[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean, by Student's t; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    error = statistics.stdev(values) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return mean - half, mean + half


def _arm(arm: str, found: list[Result], own: dict[str, Run]) -> ArmSummary:
    mine = sorted(
        (r for r in found if own[r.run].arm == arm), key=lambda r: (own[r.run].position, r.step)
    )
    finite = [r.value for r in mine if r.value is not None]
    low, high = interval(finite) or (None, None)
    return ArmSummary(
        arm=arm,
        n=len(finite),
        mean=statistics.fmean(finite) if finite else None,
        sd=statistics.stdev(finite) if len(finite) > 1 else None,
        low=low,
        high=high,
        values=[Value(seed=own[r.run].seed, value=r.value, step=r.step) for r in mine],
    )
