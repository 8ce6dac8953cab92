"""HTTP routes: the slots and their runs, the waiting runs, and moves to the front."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from backend.comparisons import repository as comparisons
from backend.comparisons.schemas import ComparisonDetail, comparison_detail
from backend.db.models import Run
from backend.http.dependencies import Db
from backend.http.shared_reads import SharedRoute
from backend.http.times import Now, iso
from backend.http.writing import writes
from backend.queue.forecast import Forecast, forecast
from backend.queue.missing_losses import missing_losses
from backend.runs import progress, queue
from backend.runs import repository as runs
from backend.runs.queue import RunWithOwner
from backend.runs.repository import Role
from backend.runs.schemas import RunOut, RunState, run_out
from backend.workers.registry import Slots, WorkerOut
from contract.events import Preparation

router = APIRouter(tags=["queue"], route_class=SharedRoute)

MAX_PAGE = 200
"""The largest page of waiting runs."""


class QueueSlot(WorkerOut):
    """A worker slot and its run; the fields of the run are null while it has none.

    Of several runs that it trains together they are those of the first one; progress and remaining
    time are of all.
    """

    comparison: str | None = None
    comparison_name: str | None = None
    created_by: str | None = None
    arm: str | None = None
    seed: int | None = None
    role: Role | None = None
    trial: int | None = None
    """The number of the trial whose settings the run has."""
    fold: int | None = None
    progress: float | None = None
    eta_s: float | None = None
    preparing: Preparation | None = None
    samples_per_s: float | None = None
    """Training items a second of all its runs, since their start and with the time of measuring;
    null before the first steps."""
    states: list[RunState] = Field(default_factory=list)
    """Whether the run trains; see the states of a run."""


class Waiting(BaseModel):
    """A run that waits."""

    run: str
    comparison: str
    comparison_name: str
    arm: str
    seed: int
    role: Role
    """final, or trial: a run of a tuning's search."""
    trial: int | None
    """The number of the trial whose settings it has; null where the comparison is not tuned."""
    fold: int | None
    created_by: str
    position: int
    """Its place in the whole queue: 1 for the run that starts next, if each run takes as long as
    expected."""
    starts_in_s: float | None
    """Null while it is not known how long a run before it takes, or no slot may take it."""
    wants: str
    """The device class it asks for; auto for any."""
    priority: int
    since: str
    """When it was submitted."""
    waits_for: str | None
    """Why it does not start, for people, where no living slot has its loss; null otherwise."""


class QueueOut(BaseModel):
    """All slots and one page of the waiting runs."""

    workers: list[QueueSlot]
    devices: dict[str, int]
    """Living slots by device class."""
    waiting: list[Waiting]
    waiting_total: int
    page: int
    page_size: int
    running_total: int
    eta_s: float | None
    """Until all runs are over; null while the length of one is unknown."""


class _PageQuery(BaseModel):
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(MAX_PAGE, ge=1, le=MAX_PAGE)
    comparison: str = Field("", max_length=100, description="Waiting runs of this one only.")


@router.get("/queue")
def get_queue(
    asked: Annotated[_PageQuery, Query()], database: Db, workers: Slots, now: Now
) -> QueueOut:
    """Return the slots with their runs, and the waiting runs in the order of their start.

    With `comparison` these are the ones of that comparison, with their places in the whole queue.
    """
    slots = workers.listed()
    with database.read() as session:
        under_way = {work.run.id: work for work in queue.running_runs(session)}
        offered = workers.digests()
        foreseen = forecast(session, slots, under_way, now, offered=offered)
        places = {run: place for place, run in enumerate(foreseen.order, 1)}
        order = foreseen.order
        if asked.comparison:
            own = queue.queued_of(session, asked.comparison)
            order = [run for run in order if run in own]
        first = (asked.page - 1) * asked.page_size
        page = order[first : first + asked.page_size]
        works = queue.runs_with_owner(session, page)
        lacking = missing_losses(session, [work.run for work in works.values()], offered)
        return QueueOut(
            workers=[_slot(slot, under_way, foreseen, now) for slot in slots],
            devices=dict(workers.alive()),
            waiting=[_waiting(works[run], places[run], foreseen, lacking.get(run)) for run in page],
            waiting_total=len(order),
            page=asked.page,
            page_size=asked.page_size,
            running_total=len(under_way),
            eta_s=foreseen.eta_s,
        )


@router.post("/comparisons/{comparison}/front", tags=["comparisons"])
@writes
def move_comparison_to_front(
    comparison: str, database: Db, workers: Slots, now: Now
) -> ComparisonDetail:
    """Move its waiting runs before all others, in their own order."""
    with database.write() as write:
        found = comparisons.get(write.session, comparison)
        all_runs = runs.of_comparison(write.session, comparison, "all")
        queue.move_to_front(write, [run for run in all_runs if run.state == "queued"])
        return comparison_detail(write.session, found, workers, now)


@router.post("/runs/{run}/front", tags=["runs"])
@writes
def move_run_to_front(run: str, database: Db, now: Now) -> RunOut:
    """Move a waiting run before all others."""
    with database.write() as write:
        found = runs.get(write.session, run)
        queue.move_to_front(write, [found])
    return run_out(found, now)


def _slot(
    slot: WorkerOut, under_way: Mapping[str, RunWithOwner], foreseen: Forecast, now: float
) -> QueueSlot:
    works = [under_way[run] for run in slot.runs if run in under_way]
    works = [work for work in works if work.run.worker == slot.name]
    facts = slot.model_dump()
    if not works:  # its runs have just ended, or another slot has them now
        return QueueSlot(**facts)
    facts["runs"] = [work.run.id for work in works]
    facts["run"] = facts["runs"][0]
    work, run = works[0], works[0].run
    etas = [foreseen.left.get(one.run.id) for one in works]
    return QueueSlot(
        **facts,
        comparison=run.comparison_id,
        comparison_name=work.comparison_name,
        created_by=work.created_by,
        arm=run.arm,
        seed=run.seed,
        role=run.role,
        trial=run.trial_number,
        fold=run.fold,
        progress=fmean(progress.run_progress(one.run) for one in works),
        eta_s=max((eta for eta in etas if eta is not None), default=None),
        preparing=Preparation(**run.preparing) if run.preparing else None,
        samples_per_s=_samples_per_s([one.run for one in works], now),
        states=[RunState(**state) for state in run.states],
    )


def _samples_per_s(at_work: Sequence[Run], now: float) -> float | None:
    rates = [progress.samples_per_s(run, now) for run in at_work]
    return sum(rate for rate in rates if rate is not None) or None


def _waiting(work: RunWithOwner, place: int, foreseen: Forecast, waits_for: str | None) -> Waiting:
    run = work.run
    return Waiting(
        run=run.id,
        comparison=run.comparison_id,
        comparison_name=work.comparison_name,
        arm=run.arm,
        seed=run.seed,
        role=run.role,
        trial=run.trial_number,
        fold=run.fold,
        created_by=work.created_by,
        position=place,
        starts_in_s=foreseen.starts.get(run.id),
        wants=run.wants,
        priority=run.priority,
        since=iso(run.created_at),
        waits_for=waits_for,
    )
