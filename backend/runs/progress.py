"""How far a run or a comparison is, and how long it will still take; pure functions."""

from backend.comparisons.repository import Tallies, Tally
from backend.db.models import Run


def run_progress(run: Run) -> float:
    """Share of the optimiser steps done, 0 to 1; what was done until then for a run that failed."""
    if run.state == "succeeded":
        return 1.0
    return min(1.0, run.step / run.total_steps) if run.total_steps else 0.0


def run_eta(run: Run, now: float) -> float | None:
    """Seconds a running run still needs, at its pace so far, its measuring included."""
    done = run_progress(run)
    before = run.resumed_at / run.total_steps if run.total_steps else 0.0  # by earlier attempts
    if run.state != "running" or run.started_at is None or done <= before:
        return None
    return max(0.0, now - run.started_at) / (done - before) * (1 - done)


def left(run: Run, pace: float | None, now: float) -> float | None:
    """Seconds until a running run is over: at its own pace, else at its comparison's."""
    own = run_eta(run, now)
    if own is None and pace is not None:
        return pace * (1 - run_progress(run))
    return own


def state(tallies: Tallies) -> str:
    """A comparison's state: the most pressing of its runs' states."""
    for candidate in ("running", "queued", "failed", "cancelled"):
        if candidate in tallies:
            return candidate
    return "succeeded"


def progress(tallies: Tallies) -> float:
    """Share of the work that is done, 0 to 1; of failed and cancelled runs as far as they came."""
    runs = sum(tally.runs for tally in tallies.values())
    whole = tallies.get("succeeded", Tally()).runs
    parts = sum(tally.progress for state, tally in tallies.items() if state != "succeeded")
    return min(1.0, (whole + parts) / runs) if runs else 0.0


def eta(tallies: Tallies, slots: int, now: float) -> float | None:
    """Seconds until the last run is over: what is left, at the mean time a run takes, over slots.

    None while no run has got far enough to tell, and when all are over.
    """
    work = _work(tallies, now)
    return None if work is None else work / max(1, min(slots, _open_runs(tallies)))


def _open_runs(tallies: Tallies) -> int:
    return sum(tallies.get(state, Tally()).runs for state in ("queued", "running"))


def _work(tallies: Tallies, now: float) -> float | None:
    """Seconds that one slot would need for what is left; None as in `eta`."""
    each = pace(tallies, now) if _open_runs(tallies) else None
    if each is None:
        return None
    queued, running = tallies.get("queued", Tally()), tallies.get("running", Tally())
    return each * (queued.runs + max(0.0, running.runs - running.progress))


def pace(tallies: Tallies, now: float) -> float | None:
    """Seconds that a run of a comparison takes; None while none has got far enough to tell."""
    done = tallies.get("succeeded", Tally())
    if done.timed:
        return (done.ended - done.started) / done.timed
    running = tallies.get("running", Tally())
    if running.timed and running.progress:
        return max(0.0, now * running.timed - running.started) / running.progress
    return None
