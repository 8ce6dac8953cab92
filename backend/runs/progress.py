"""How far a run or a comparison is, and how long it will still take.

Only `tallies` reads the database; the other functions are pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Integer, case, func
from sqlalchemy import select as columns
from sqlmodel import Session, col

from backend.db.models import Run

STATES: Final = ("queued", "running", "succeeded", "failed", "cancelled")
IMPORTANCE: Final = ("running", "queued", "failed", "cancelled", "succeeded")
"""A comparison's state is the first of these in which one of its runs is."""


@dataclass
class Tally:
    """The runs of a comparison in one state, added up."""

    runs: int = 0
    progress: float = 0.0
    """Sum of step / total steps."""
    started: float = 0.0
    """Sums of the runs' times, of those that have both start and steps."""
    ended: float = 0.0
    timed: int = 0
    """Runs in the sums of times."""


Tallies = dict[str, Tally]
"""State -> its runs."""


def tallies(session: Session, comparisons: Sequence[str]) -> dict[str, Tallies]:
    """For each comparison its runs by state."""
    timed = col(Run.started_at).is_not(None) & (col(Run.total_steps) > 0)
    share = col(Run.step) * 1.0 / func.nullif(Run.total_steps, 0)
    rows = session.connection().execute(
        columns(
            col(Run.comparison_id),
            col(Run.state),
            func.count(),
            func.coalesce(func.sum(share), 0.0),
            func.coalesce(func.sum(case((timed, Run.started_at))), 0.0),
            func.coalesce(func.sum(case((timed, Run.ended_at))), 0.0),
            func.coalesce(func.sum(func.cast(timed, Integer)), 0),
        )
        .where(col(Run.comparison_id).in_(comparisons))
        .group_by(col(Run.comparison_id), col(Run.state))
    )
    found: dict[str, Tallies] = {comparison: {} for comparison in comparisons}
    for comparison, state, runs, done, started, ended, count in rows:
        found[comparison][state] = Tally(
            runs=runs, progress=done, started=started, ended=ended, timed=count
        )
    return found


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
    return next((state for state in IMPORTANCE if state in tallies), IMPORTANCE[-1])


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
