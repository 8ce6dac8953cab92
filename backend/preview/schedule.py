"""When the runs of a spec would be trained, if they were queued now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session

from backend.plugins.repository import digests_of_arms
from backend.queue.forecast import NOTHING, Added, Span, forecast
from backend.runs import queue
from backend.runs.lengths import Basis, lengths_like
from backend.runs.queue import QueuedRun
from backend.workers.registry import WorkerOut
from contract.comparison.spec import ComparisonSpec
from contract.comparison.training import ANY_DEVICE

MOST_FORESEEN: Final = 1_000
"""Runs that are put into the queue one by one; more are taken to share the slots evenly."""
_NEW: Final = "(new)"


@dataclass(frozen=True)
class Schedule:
    """When and how long."""

    slots: int
    """Living slots that may take its runs."""
    waiting: int
    """Runs that wait before it in the queue, or beside it."""
    work_s: float | None
    """Seconds of one slot for all runs; None if it is not known how long one takes."""
    span: Span | None
    """None if that is not known, also of the runs before it; or no slot may take it."""
    basis: Basis | None


def schedule(
    session: Session,
    spec: ComparisonSpec,
    workers: list[WorkerOut],
    *,
    user: str,
    now: float,
    offered: Mapping[str, frozenset[str]] = NOTHING,
) -> Schedule:
    """Return when the runs of a spec would be trained.

    Args:
        session: to read with.
        spec: that is valid.
        workers: all known slots.
        user: who would submit it.
        now: seconds since the epoch.
        offered: digests of the plug-ins of each slot, by its name.
    """
    wants = spec.training.device
    fitting = [one for one in workers if one.state != "lost" and wants in (ANY_DEVICE, one.device)]
    stored = spec.model_dump(mode="json")
    digests = digests_of_arms(session, stored)
    lengths = lengths_like(session, stored, {one.device for one in fitting})
    runs = [
        Added(replace(run, loss_digest=digests[run.arm]), lengths.seconds(run.arm, run.role))
        for run in _runs(spec, user=user, now=now)
    ]
    seconds = [one.seconds for one in runs]
    known = [one for one in seconds if one is not None]
    work = sum(known) if len(known) == len(seconds) else None
    first = lengths.of(spec.arms[0].name, "final")
    basis = None if work is None or first is None else first.basis
    waiting = len(queue.queued_runs(session))
    span = None
    if fitting and work is not None:
        running = {one.run.id: one for one in queue.running_runs(session)}
        few = runs if len(runs) <= MOST_FORESEEN else _evenly(runs, work, len(fitting))
        span = forecast(session, workers, running, now, few, offered=offered).added
    return Schedule(len(fitting), waiting, work, span, basis)


def _runs(spec: ComparisonSpec, *, user: str, now: float) -> Iterator[QueuedRun]:
    """Yield the runs in their order in the queue: those of trials, then the final ones."""
    position = 0
    tuning = spec.tuning
    of_trial = 0 if tuning is None else tuning.trials * tuning.runs_per_trial
    for role, count in (("trial", of_trial), ("final", len(spec.seeds))):
        for _ in range(count):
            for arm in spec.arms:
                position += 1
                age = (now, position, f"{_NEW} {position}")
                yield QueuedRun(age[2], _NEW, arm.name, role, user, 0, spec.training.device, age)


def _evenly(runs: list[Added], work: float, slots: int) -> list[Added]:
    """Return one long run for each slot instead of very many short ones."""
    return [Added(one.run, work / slots) for one in runs[:slots]]
