"""Values of trials, from the stored points of their objective."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from sqlmodel import Session

from backend.db.models import Run
from backend.metrics import results
from contract.metrics import METRICS


@dataclass(frozen=True)
class RunValue:
    """The best epoch of a run."""

    value: float
    epoch: int
    """From 1."""


@dataclass(frozen=True)
class Judged:
    """What came out of a trial that is over."""

    state: str
    """complete or failed."""
    value: float | None = None
    epochs: int | None = None


def sign(objective: str) -> int:
    """Return what a value of the objective is multiplied by so that larger ones are better."""
    metric = METRICS.get(objective)
    return -1 if metric is not None and metric.better == "lower" else 1


def run_values(session: Session, runs: Iterable[Run], objective: str) -> dict[str, RunValue]:
    """Return the best value of each of these runs that has one; of equal ones the earliest.

    Epoch 0, the untrained network, does not count.
    """
    epochs = {run.id: run.steps_per_epoch for run in runs if run.steps_per_epoch}
    direction = sign(objective)
    best: dict[str, RunValue] = {}
    for run, _, step, value in results.all_values(session, runs=list(epochs), key=objective):
        if value is None or step == 0:
            continue
        before = best.get(run)
        if before is None or direction * value > direction * before.value:
            best[run] = RunValue(value, math.ceil(step / epochs[run]))
    return best


def judge(runs: Sequence[Run], values: Mapping[str, RunValue]) -> Judged:
    """Return what came out of a trial whose runs are all over.

    It failed if a run did, or has no finite value of the objective; otherwise its value is the mean
    over its runs.
    """
    own = [values[run.id] for run in runs if run.state == "succeeded" and run.id in values]
    if not runs or len(own) < len(runs):
        return Judged("failed")
    epochs = math.floor(median(one.epoch for one in own) + 0.5)
    return Judged("complete", fmean(one.value for one in own), epochs)
