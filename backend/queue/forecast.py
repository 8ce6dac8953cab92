"""When each run that waits will begin: the rules of backend.runs.fair_share, played on with what
is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from sqlmodel import Session

from backend.runs import progress, queue
from backend.runs.fair_share import Waits, Works, plan
from backend.runs.queue import Waiting, Work
from backend.workers.schemas import WorkerOut
from contract.names import DEVICES

GUESS_S: Final = 60.0
"""A run's length while no pace at all is known; then only the order is told."""


@dataclass(frozen=True)
class Foreseen:
    """What is to come."""

    order: list[str]
    """All runs that wait: as they will begin, then those that no living slot may take."""
    starts: dict[str, float]
    """Run -> seconds until it begins, as far as the pace of all before it is known."""
    eta_s: float | None
    """Seconds until nothing runs or waits; None where nothing does, or it is not known."""


def foresee(
    session: Session, slots: Sequence[WorkerOut], under_way: Mapping[str, Work], now: float
) -> Foreseen:
    """Play the queue on from this moment, for the slots that live."""
    waits = queue.waiting(session)
    open_ones = {one.comparison for one in waits}
    open_ones |= {work.run.comparison_id for work in under_way.values()}
    tallies = progress.tallies(session, sorted(open_ones))
    paces = {name: progress.pace(own, now) for name, own in tallies.items()}
    known = [pace for pace in paces.values() if pace is not None]
    guess = fmean(known) if known else GUESS_S

    left = {
        run: progress.left(work.run, paces[work.run.comparison_id], now)
        for run, work in under_way.items()
    }
    living = [slot for slot in slots if slot.state != "lost"]
    told = bool(living) and None not in left.values()
    ends = [seconds for seconds in left.values() if seconds is not None]
    works = [_works(slot, under_way, left, guess) for slot in living]
    order: list[str] = []
    starts: dict[str, float] = {}
    by_id = {one.run: one for one in waits}
    for start in plan(
        (_waits(one, paces[one.comparison], guess) for one in waits),
        works or [Works(device) for device in DEVICES],
        queue.turns(session),
    ):
        order.append(start.run)
        if told:
            starts[start.run] = round(start.at, 3)
            ends.append(start.end)
        told = told and paces[by_id[start.run].comparison] is not None
    never = sorted(by_id.keys() - set(order), key=lambda run: _rank(by_id[run]))
    whole = told and not never and bool(ends)
    return Foreseen(order + never, starts, max(ends) if whole else None)


def _works(
    slot: WorkerOut, under_way: Mapping[str, Work], left: Mapping[str, float | None], guess: float
) -> Works:
    work = under_way.get(slot.run or "")
    if work is None or work.run.worker != slot.name:
        return Works(slot.device)
    seconds = left[work.run.id]
    return Works(slot.device, work.created_by, guess if seconds is None else seconds)


def _waits(one: Waiting, pace: float | None, guess: float) -> Waits:
    seconds = guess if pace is None else pace
    return Waits(one.run, one.created_by, one.priority, one.wants, one.age, seconds)


def _rank(one: Waiting) -> tuple[object, ...]:
    return -one.priority, one.age
