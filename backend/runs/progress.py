"""How far a run or a comparison is, and how long it will still take.

Only `count_runs` reads the database; the other functions are pure. Those of a comparison are for
one without a search before its final runs; backend.runs.search_progress is for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Float, Integer, case, func
from sqlalchemy import select as columns
from sqlmodel import Session, col

from backend.db.models import Run, Trial

STATES: Final = ("queued", "running", "succeeded", "failed", "cancelled")
STATES_BY_IMPORTANCE: Final = ("running", "queued", "failed", "cancelled", "succeeded")
"""A comparison's state is the first of these in which one of its runs is; but one whose first runs
are done is running, also while the others wait."""
DONE: Final = ("succeeded", "failed")
"""States of runs that have had their turn."""


@dataclass
class Tally:
    """Sums over the runs of a comparison in one state."""

    runs: int = 0
    progress: float = 0.0
    """Sum of step / total steps."""
    slots: float = 0.0
    """Sum of the runs' shares of their slots: 1, or 1/n of a run that is trained together with
    others, n with itself."""
    started: float = 0.0
    """Sum of the start times of timed runs, those that have a start and steps, each times its share
    of its slot."""
    ended: float = 0.0
    """Sum of the end times of timed runs, each times that share."""
    timed: int = 0
    """Number of timed runs."""
    timed_slots: float = 0.0
    """Sum of the shares of timed runs."""


Tallies = dict[str, Tally]
"""State -> sums over the runs in it."""


@dataclass
class Counted:
    """The runs of a comparison, or of one of its arms."""

    final: Tallies = field(default_factory=dict)
    trial: Tallies = field(default_factory=dict)
    """Runs of the trials of a search; empty where there is none."""
    trials: dict[str, int] = field(default_factory=dict)
    """State of a trial -> number of trials in it."""


def count_runs(session: Session, comparisons: Sequence[str]) -> dict[str, Counted]:
    """Return the runs of each of these comparisons."""
    timed = col(Run.started_at).is_not(None) & (col(Run.total_steps) > 0)
    done = col(Run.step) * 1.0 / func.nullif(Run.total_steps, 0)
    share = 1.0 / func.cast(func.coalesce(Run.shared, 1), Float)
    rows = session.connection().execute(
        columns(
            col(Run.comparison_id),
            col(Run.role),
            col(Run.state),
            func.count(),
            func.coalesce(func.sum(done), 0.0),
            func.sum(share),
            func.coalesce(func.sum(case((timed, col(Run.started_at) * share))), 0.0),
            func.coalesce(func.sum(case((timed, col(Run.ended_at) * share))), 0.0),
            func.coalesce(func.sum(func.cast(timed, Integer)), 0),
            func.coalesce(func.sum(case((timed, share))), 0.0),
        )
        .where(col(Run.comparison_id).in_(comparisons))
        .group_by(col(Run.comparison_id), col(Run.role), col(Run.state))
    )
    found = {comparison: Counted() for comparison in comparisons}
    for comparison, role, state, *sums in rows:
        of_role = found[comparison].final if role == "final" else found[comparison].trial
        of_role[state] = Tally(*sums)
    searched = [comparison for comparison, counted in found.items() if counted.trial]
    for comparison, state, trials in _count_trials(session, searched):
        found[comparison].trials[state] = trials
    return found


def _count_trials(session: Session, comparisons: Sequence[str]) -> list[tuple[str, str, int]]:
    if not comparisons:
        return []
    place = (col(Trial.comparison_id), col(Trial.state))
    rows = session.connection().execute(
        columns(*place, func.count())
        .where(col(Trial.comparison_id).in_(comparisons))
        .group_by(*place)
    )
    return [(comparison, state, trials) for comparison, state, trials in rows]


def run_progress(run: Run) -> float:
    """Return the share of a run's optimiser steps that are done, 0 to 1.

    For a run that failed, the share that was done until then.
    """
    if run.state == "succeeded":
        return 1.0
    return min(1.0, run.step / run.total_steps) if run.total_steps else 0.0


def run_eta(run: Run, now: float) -> float | None:
    """Return the seconds a running run still needs at its own pace, which includes evaluation.

    None if the run is not running, or has made no progress in this attempt.
    """
    done = run_progress(run)
    before = run.resumed_at / run.total_steps if run.total_steps else 0.0  # by earlier attempts
    if run.state != "running" or run.started_at is None or done <= before:
        return None
    return max(0.0, now - run.started_at) / (done - before) * (1 - done)


def remaining_s(run: Run, mean_s: float | None, now: float) -> float | None:
    """Return the seconds until a running run is over.

    At its own pace, or if that is not known, at `mean_s` for a whole run of its comparison.
    """
    eta = run_eta(run, now)
    if eta is None and mean_s is not None:
        return mean_s * (1 - run_progress(run))
    return eta


def overall_state(tallies: Tallies) -> str:
    """Return a comparison's state: the most important state of its runs.

    It is running too while some of its runs are done and others wait.
    """
    state = next((one for one in STATES_BY_IMPORTANCE if one in tallies), STATES_BY_IMPORTANCE[-1])
    begun = state == "queued" and any(one in tallies for one in DONE)
    return "running" if begun else state


def overall_progress(tallies: Tallies) -> float:
    """Return the share of a comparison's work that is done, 0 to 1.

    A failed or cancelled run counts with the share of its steps that it has done.
    """
    runs = sum(tally.runs for tally in tallies.values())
    whole = tallies.get("succeeded", Tally()).runs
    parts = sum(tally.progress for state, tally in tallies.items() if state != "succeeded")
    return min(1.0, (whole + parts) / runs) if runs else 0.0


def overall_eta(tallies: Tallies, slots: int, now: float) -> float | None:
    """Return the seconds until a comparison's last run is over, if its runs share `slots` slots.

    None while no run has got far enough to estimate it, and when all are over.
    """
    work = _remaining_work_s(tallies, now)
    return None if work is None else work / max(1, min(slots, open_slots(tallies)))


def mean_run_s(tallies: Tallies, now: float) -> float | None:
    """Return the mean seconds of a slot that a run of a comparison takes; one of a bundle has its
    share of them.

    None while no run has got far enough to estimate it.
    """
    done = tallies.get("succeeded", Tally())
    if done.timed:
        return max(0.0, done.ended - done.started) / done.timed  # old ones: clocks were set
    running = tallies.get("running", Tally())
    if running.timed and running.progress:
        return max(0.0, now * running.timed_slots - running.started) / running.progress
    return None


def open_runs(tallies: Tallies) -> int:
    """Return how many runs have not ended."""
    return sum(tallies.get(state, Tally()).runs for state in ("queued", "running"))


def open_slots(tallies: Tallies) -> float:
    """Return how many slots the runs that have not ended can have at most."""
    return tallies.get("queued", Tally()).runs + tallies.get("running", Tally()).slots


def _remaining_work_s(tallies: Tallies, now: float) -> float | None:
    """Return the seconds that one slot would need for the open runs; None as in overall_eta."""
    each = mean_run_s(tallies, now) if open_runs(tallies) else None
    if each is None:
        return None
    queued, running = tallies.get("queued", Tally()), tallies.get("running", Tally())
    return each * (queued.runs + max(0.0, running.runs - running.progress))
