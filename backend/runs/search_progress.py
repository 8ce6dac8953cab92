"""State, progress and remaining time of a comparison, also of one that is tuned.

A tuned one has two phases: a search, whose trials may come in rounds, and the final runs, which are
queued when the last trial has ended. It is under way until its final runs are over, also in the
moments in which none of its runs is open. Pure functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from backend.runs import progress
from backend.runs.progress import DONE, Counted, Tallies, Tally

Phase = Literal["search", "final"]
Role = Literal["trial", "final"]

FINAL_TO_TRIAL: Final = 1.5
"""How long a final run is assumed to take, as a multiple of a trial's, until one has ended: it
takes the same steps, but measures all families, and the test split too. In the progress a final run
always counts so much."""


@dataclass(frozen=True)
class SearchSize:
    """How large the search of a tuned comparison, or of one of its arms, is meant to be."""

    trials: int
    runs: int
    """Of all trials: their folds and seeds."""
    finals: int
    """Final runs that follow it."""


def search_size(spec: Mapping[str, Any], arms: int | None = None) -> SearchSize | None:
    """Return the size of a comparison's search; None where it is not tuned.

    Args:
        spec: as it is stored.
        arms: number of arms to count; None for all.
    """
    tuning = spec.get("tuning")
    if tuning is None:
        return None
    count = len(spec["arms"]) if arms is None else arms
    trials = count * int(tuning["trials"])
    runs = trials * int(tuning["folds"]) * len(tuning["trial_seeds"])
    return SearchSize(trials, runs, count * len(spec["seeds"]))


def phase(counted: Counted, search: SearchSize | None) -> Phase | None:
    """Return what a tuned comparison is at, or ended in; None for one that is not tuned."""
    if search is None:
        return None
    return "final" if counted.final else "search"


def state(counted: Counted, search: SearchSize | None) -> str:
    """Return the state of a comparison, or of an arm.

    Trials that failed do not make a search fail, as they count like the others; it has failed where
    no trial has a value, so that no final run can follow. backend.comparisons.search has the same
    rules as SQL.
    """
    if search is None:
        return progress.overall_state(counted.final)
    if counted.final:
        found = progress.overall_state(counted.final)
        return "running" if found == "queued" else found  # its trials are done
    if "running" in counted.trial:
        return "running"
    if "queued" in counted.trial:
        return "running" if any(one in counted.trial for one in DONE) else "queued"
    if "cancelled" in counted.trials:
        return "cancelled"
    # Otherwise the next round of trials, or the final runs, are about to be queued.
    return "failed" if counted.trials.get("failed", 0) >= search.trials else "running"


def share_done(counted: Counted, search: SearchSize | None) -> float:
    """Return the share of the work that is done, 0 to 1, with the trials and final runs to come."""
    if search is None:
        return progress.overall_progress(counted.final)
    trials = _runs(counted.trial)
    finals = _runs(counted.final)
    total = trials + FINAL_TO_TRIAL * finals
    if not finals:
        total = max(trials, search.runs) + FINAL_TO_TRIAL * search.finals
    ended = counted.trial.get("failed", Tally())
    # A trial that failed is over: what is left of its steps is never done.
    searched = progress.overall_progress(counted.trial) * trials + ended.runs - ended.progress
    done = searched + FINAL_TO_TRIAL * progress.overall_progress(counted.final) * finals
    return min(1.0, done / total) if total else 0.0


def remaining_s(
    counted: Counted,
    search: SearchSize | None,
    slots: int,
    now: float,
    known_s: Mapping[str, float | None] | None = None,
) -> float | None:
    """Return the seconds until the last run is over, also of those that are still to come.

    None while no run has got far enough to estimate it, and when the comparison is over.

    Args:
        counted: its runs.
        search: its size; None where it is not tuned.
        slots: that its runs share.
        now: seconds since the epoch.
        known_s: how long a run takes by its role, where no run of its own tells.
    """
    known = known_s or {}
    if search is None:
        return progress.overall_eta(counted.final, slots, now, known.get("final"))
    if state(counted, search) not in {"queued", "running"}:
        return None
    each = run_s(counted, now)
    later = to_come(counted, search)
    seconds = 0.0
    of_role: dict[Role, Tallies] = {"trial": counted.trial, "final": counted.final}
    for role, tallies in of_role.items():
        left = _left(tallies) + later[role]
        if not left:
            continue
        own = each[role]
        one = known.get(role) if own is None else own
        if one is None:
            return None
        side_by_side = min(slots, progress.open_slots(tallies) + later[role], left)
        seconds += left * one / max(1.0, side_by_side)
    return seconds


def to_come(counted: Counted, search: SearchSize | None) -> dict[Role, int]:
    """Return how many runs are queued only later: those of the next rounds, and the final ones."""
    over = search is None or counted.final or "cancelled" in counted.trials
    if over or search is None or counted.trials.get("failed", 0) >= search.trials:
        return {"trial": 0, "final": 0}
    return {"trial": max(0, search.runs - _runs(counted.trial)), "final": search.finals}


def run_s(counted: Counted, now: float) -> dict[Role, float | None]:
    """Return the mean seconds of a run by its role; None while it is not known.

    Until a final run of a tuned comparison has ended, its length follows from that of the trials.
    """
    trial = progress.mean_run_s(counted.trial, now)
    final = progress.mean_run_s(counted.final, now)
    if final is None and trial is not None:
        final = FINAL_TO_TRIAL * trial
    return {"trial": trial, "final": final}


def _runs(tallies: Tallies) -> int:
    return sum(tally.runs for tally in tallies.values())


def _left(tallies: Tallies) -> float:
    """Return how many whole runs the open ones still are."""
    running = tallies.get("running", Tally())
    return tallies.get("queued", Tally()).runs + max(0.0, running.runs - running.progress)
