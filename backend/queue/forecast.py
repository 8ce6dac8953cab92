"""Forecast when each queued run will start and when the queue will be empty.

Continues the queue from this moment by the rules of backend.runs.fair_share. A run takes as long as
backend.runs.lengths says: as finished runs of its comparison, or of an earlier one like it, and one
that may be trained together with others its share of their time. Final runs
that are queued only when a search is over are not foreseen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from sqlmodel import Session, col, select

from backend.db.models import Comparison, Run
from backend.runs import progress, queue
from backend.runs.fair_share import Slot, WaitingRun, plan_starts
from backend.runs.lengths import ANY_ARM, read_lengths
from backend.runs.progress import Counted
from backend.runs.queue import QueuedRun, RunWithOwner
from backend.runs.search_progress import search_size, to_come
from backend.workers.registry import WorkerOut
from contract.comparison.training import ANY_DEVICE
from contract.names import DEVICES

GUESS_S: Final = 60.0
"""The assumed length of a run while none is known; then only the order of the runs is forecast."""
NOTHING: Final[Mapping[str, frozenset[str]]] = {}
"""No slot has a plug-in."""
_BEHIND_ALL: Final = 10**9
"""Position behind all runs that a comparison has."""


@dataclass(frozen=True)
class Forecast:
    """What will happen to the queued runs."""

    order: list[str]
    """All queued runs: in the order of their starts, then those that no living slot may take."""
    starts: dict[str, float]
    """Run -> seconds until it starts, if the length of all runs before it is known."""
    eta_s: float | None
    """Seconds until no run is queued or running; None if there is none now, or if it is unknown."""
    left: dict[str, float | None]
    """Running run -> seconds until it is over; None if it is unknown."""
    added: "Span | None"
    """Of runs that are added to the queue; None without such, or if it is unknown."""


@dataclass(frozen=True)
class Span:
    """When runs will presumably be trained."""

    begins_in_s: float
    ends_in_s: float


@dataclass(frozen=True)
class Added:
    """A run that does not exist yet."""

    run: QueuedRun
    seconds: float | None
    """How long it takes; None if it is unknown."""


def forecast(
    session: Session,
    slots: Sequence[WorkerOut],
    running: Mapping[str, RunWithOwner],
    now: float,
    added: Sequence[Added] = (),
    *,
    offered: Mapping[str, frozenset[str]] = NOTHING,
) -> Forecast:
    """Forecast the queue from this moment on.

    Args:
        session: to read with.
        slots: all known worker slots; lost ones are ignored.
        running: the running runs, by id.
        now: seconds since the epoch.
        added: runs that would be queued now.
        offered: digests of the plug-ins of each slot, by its name.
    """
    queued = queue.queued_runs(session)
    comparisons = {one.comparison for one in queued}
    comparisons |= {one.run.comparison_id for one in running.values()}
    counts = progress.count_runs(session, sorted(comparisons))
    wanted = select(Comparison).where(col(Comparison.id).in_(comparisons))
    rows = {one.id: one for one in session.exec(wanted)}
    lengths = read_lengths(session, {key: one.spec for key, one in rows.items()}, now)
    later = _runs_to_come(counts, rows, queued)
    run_s = {
        one.run: lengths[one.comparison].seconds(one.arm, one.role) for one in [*queued, *later]
    }
    run_s |= {one.run.run: one.seconds for one in added}
    known = [seconds for seconds in run_s.values() if seconds is not None]
    guess = fmean(known) if known else GUESS_S

    work: defaultdict[str, list[Run]] = defaultdict(list)
    left: dict[str, float | None] = {}
    for one in running.values():
        work[one.run.worker or ""].append(one.run)
        left[one.run.id] = lengths[one.run.comparison_id].remaining_s(one.run, now)
    remaining = {
        worker: _remaining_s([left[run.id] for run in own]) for worker, own in work.items()
    }
    living = [slot for slot in slots if slot.state != "lost"]
    times_known = bool(living) and None not in remaining.values()
    ends = [seconds for seconds in remaining.values() if seconds is not None]
    busy = [
        _slot(slot, running, remaining, guess, offered.get(slot.name, frozenset()))
        for slot in living
    ]
    order: list[str] = []
    starts: dict[str, float] = {}
    by_id = {one.run: one for one in queued}
    new = {one.run.run: one.run for one in added}
    all_by_id = by_id | {one.run: one for one in later} | new
    begins: float | None = None
    added_end: float | None = None
    left_out = len(new)
    for start in plan_starts(
        (_waiting_run(one, run_s[one.run], guess) for one in all_by_id.values()),
        busy or [Slot(device) for device in DEVICES],
        queue.turns(session),
    ):
        if start.run in by_id:
            order.append(start.run)
            if times_known:
                starts[start.run] = round(start.at, 3)
        if times_known:
            ends.append(start.end)
        if start.run in new:
            left_out -= 1
            begins = start.at if times_known and begins is None else begins
            run_known = times_known and run_s[start.run] is not None
            added_end = max(added_end or 0.0, start.end) if run_known else None
        times_known = times_known and run_s[start.run] is not None
    never = sorted(by_id.keys() - set(order), key=lambda run: _rank(by_id[run]))
    end_known = times_known and not never and bool(ends)
    span = None
    if begins is not None and added_end is not None and not left_out:
        span = Span(round(begins, 3), round(added_end, 3))
    return Forecast(order + never, starts, max(ends) if end_known else None, left, span)


def _runs_to_come(
    counts: Mapping[str, Counted],
    rows: Mapping[str, Comparison],
    queued: Sequence[QueuedRun],
) -> list[QueuedRun]:
    """Return the runs that searches under way queue later, where they will stand in the queue."""
    searching = [one for one, counted in counts.items() if counted.trial and not counted.final]
    if not searching:
        return []
    priorities: defaultdict[str, int] = defaultdict(int)
    for one in queued:
        priorities[one.comparison] = max(priorities[one.comparison], one.priority)
    found: list[QueuedRun] = []
    for own in searching:
        counted, comparison = counts[own], rows[own]
        wants = comparison.spec["training"].get("device", ANY_DEVICE)
        for role, number in to_come(counted, search_size(comparison.spec)).items():
            ages = (
                (comparison.created_at, _BEHIND_ALL + at, f"{own} {role} {at}")
                for at in range(number)
            )
            found += [
                QueuedRun(
                    age[2], own, ANY_ARM, role, comparison.created_by, priorities[own], wants, age
                )
                for age in ages
            ]
    return found


def _remaining_s(left: Sequence[float | None]) -> float | None:
    """Return the seconds until a slot's runs are over; None if it is not known.

    Runs that are trained together get on side by side, so they end with the slowest.
    """
    return max((seconds for seconds in left if seconds is not None), default=None)


def _slot(
    slot: WorkerOut,
    running: Mapping[str, RunWithOwner],
    remaining: Mapping[str, float | None],
    guess: float,
    digests: frozenset[str],
) -> Slot:
    own = [running[run] for run in slot.runs if run in running]
    own = [one for one in own if one.run.worker == slot.name]
    if not own:
        return Slot(slot.device, digests=digests)
    seconds = remaining[slot.name]
    until = guess if seconds is None else seconds
    return Slot(slot.device, own[0].created_by, until, digests)


def _waiting_run(one: QueuedRun, run_s: float | None, guess: float) -> WaitingRun:
    seconds = guess if run_s is None else run_s
    return WaitingRun(
        *(one.run, one.created_by, one.priority, one.wants, one.age),
        seconds,
        one.loss_digest,
    )


def _rank(one: QueuedRun) -> tuple[object, ...]:
    return -one.priority, one.age
