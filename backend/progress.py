"""How far a run or a comparison is, and how long it will still take; pure functions."""

from backend.store.comparisons import Tallies, Tally
from backend.tables import Run


def run_progress(run: Run) -> float:
    """Share of the optimiser steps done, 0 to 1; what was done until then for a run that failed."""
    if run.state == "succeeded":
        return 1.0
    return min(1.0, run.step / run.total_steps) if run.total_steps else 0.0


def run_eta(run: Run, now: float) -> float | None:
    """Seconds a running run still needs, at its pace so far, its measuring included."""
    done = run_progress(run)
    if run.state != "running" or run.started_at is None or not done:
        return None
    return max(0.0, now - run.started_at) / done * (1 - done)


def state(tallies: Tallies) -> str:
    """A comparison's state: the most pressing of its runs' states."""
    for candidate in ("running", "queued", "failed", "cancelled"):
        if candidate in tallies:
            return candidate
    return "succeeded"


def progress(tallies: Tallies) -> float:
    """Share of the work that is done, 0 to 1; runs that are over have nothing left to do."""
    runs = sum(tally.runs for tally in tallies.values())
    open_runs = sum(tallies.get(s, Tally()).runs for s in ("queued", "running"))
    under_way = tallies.get("running", Tally()).progress
    return min(1.0, (runs - open_runs + under_way) / runs) if runs else 0.0


def eta(tallies: Tallies, slots: int, now: float) -> float | None:
    """Seconds until the last run is over: what is left, at the mean time a run takes, over slots.

    None while no run has got far enough to tell, and when all are over.
    """
    queued, running = tallies.get("queued", Tally()), tallies.get("running", Tally())
    if not queued.runs and not running.runs:
        return None
    each = _seconds_per_run(tallies, now)
    if each is None:
        return None
    left = queued.runs + max(0.0, running.runs - running.progress)
    return left * each / max(1, min(slots, queued.runs + running.runs))


def _seconds_per_run(tallies: Tallies, now: float) -> float | None:
    done = tallies.get("succeeded", Tally())
    if done.timed:
        return (done.ended - done.started) / done.timed
    running = tallies.get("running", Tally())
    if running.timed and running.progress:
        return max(0.0, now * running.timed - running.started) / running.progress
    return None
