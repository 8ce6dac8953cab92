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

PACE_SHARE: Final = 0.05
"""Share of its steps after which the pace of a run tells how long it takes."""
PACE_S: Final = 60.0
"""Seconds after which it does so earlier, with one epoch behind."""


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

    @property
    def is_open(self) -> bool:
        """Whether runs wait or are at work."""
        return bool(open_runs(self.final) or open_runs(self.trial))


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


def samples_per_s(run: Run, now: float) -> float | None:
    """Return how many training items a second a running run has taken since its attempt began,
    with the time of measuring; None before its first steps, and for a run of version 0.5."""
    steps = run.step - run.resumed_at
    if run.started_at is None or not run.splits or not run.steps_per_epoch or steps <= 0:
        return None
    seconds = now - run.started_at
    # About the batch size: what is left over at an epoch's end is less than a batch.
    items = run.splits.get("train", 0) // run.steps_per_epoch
    return items * steps / seconds if items and seconds > 0 else None


def run_progress(run: Run) -> float:
    """Return the share of a run's optimiser steps that are done, 0 to 1.

    For a run that failed, the share that was done until then.
    """
    if run.state == "succeeded":
        return 1.0
    return min(1.0, run.step / run.total_steps) if run.total_steps else 0.0


def paced_s(run: Run, now: float) -> float | None:
    """Return the seconds that a running run takes from its start to its end at its own pace, which
    includes evaluation; None while it has not got far enough to tell.

    The first steps come with the warm-up and with the evaluation of the untrained network, and say
    little: a run has to be at PACE_SHARE of its steps, or to have trained an epoch and PACE_S.
    """
    if run.state != "running" or run.started_at is None or not run.total_steps:
        return None
    steps = run.step - run.resumed_at  # of this attempt
    elapsed = max(0.0, now - run.started_at)
    of_epoch = run.steps_per_epoch or run.total_steps
    settled = steps >= PACE_SHARE * run.total_steps or (elapsed >= PACE_S and steps >= of_epoch)
    if steps <= 0 or not settled:
        return None
    return elapsed * run.total_steps / steps


def remaining_s(run: Run, known_s: float | None, now: float) -> float | None:
    """Return the seconds until a running run is over; None if it is not known, or not running.

    Its whole length is that of runs like it; the further it is, the more its own pace counts, with
    the square of its progress.

    Args:
        run: the run.
        known_s: seconds of a slot that a run like it takes; None where no such run has ended. Runs
            that are trained together get on side by side, so that each takes as long as all.
        now: seconds since the epoch.
    """
    if run.state != "running":
        return None
    done = run_progress(run)
    own = paced_s(run, now)
    if known_s is None:
        return None if own is None else own * (1 - done)
    whole = known_s * (run.shared or 1)
    if own is not None:
        whole = (1 - done**2) * whole + done**2 * own
    return whole * (1 - done)


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


def overall_eta(
    tallies: Tallies, slots: int, now: float, known_s: float | None = None
) -> float | None:
    """Return the seconds until a comparison's last run is over, if its runs share `slots` slots.

    None while no run has got far enough to estimate it, and when all are over.

    Args:
        tallies: its runs.
        slots: that they share.
        now: seconds since the epoch.
        known_s: how long a run takes, where no run of its own tells.
    """
    work = _remaining_work_s(tallies, now, known_s)
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
    if running.timed and running.progress >= PACE_SHARE * running.timed:
        return max(0.0, now * running.timed_slots - running.started) / running.progress
    return None


def open_runs(tallies: Tallies) -> int:
    """Return how many runs have not ended."""
    return sum(tallies.get(state, Tally()).runs for state in ("queued", "running"))


def open_slots(tallies: Tallies) -> float:
    """Return how many slots the runs that have not ended can have at most."""
    return tallies.get("queued", Tally()).runs + tallies.get("running", Tally()).slots


def _remaining_work_s(tallies: Tallies, now: float, known_s: float | None) -> float | None:
    """Return the seconds that one slot would need for the open runs; None as in overall_eta."""
    if not open_runs(tallies):
        return None
    own = mean_run_s(tallies, now)
    each = known_s if own is None else own
    if each is None:
        return None
    queued, running = tallies.get("queued", Tally()), tallies.get("running", Tally())
    return each * (queued.runs + max(0.0, running.runs - running.progress))
