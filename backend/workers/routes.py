"""HTTP routes: list the worker slots; and, with the worker token, claim a run and report on it."""

import logging
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.auth.dependencies import worker_token
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.http.writing import PROMPT_WAIT_S, writes_within
from backend.runs import repository as runs
from backend.runs.schemas import State
from backend.workers import claims
from backend.workers.registry import AliveLeases, Slots, WorkerOut
from contract import logs

log = logging.getLogger(__name__)
router = APIRouter(tags=["workers"])


class WorkerList(BaseModel):
    """The slots that were seen lately."""

    workers: list[WorkerOut]


@router.get("/workers")
def list_workers(workers: Slots) -> WorkerList:
    """Return the slots that were seen lately; a lost one has been silent for 15 s."""
    return WorkerList(workers=workers.listed())


worker_router = APIRouter(
    prefix="/internal",
    tags=["internal"],
    dependencies=[Depends(worker_token)],
    route_class=JsonRoute,
)

Device = Literal["cpu", "cuda"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SlotIntroduction(_In):
    """A slot introduces itself."""

    device: Device
    host: str = Field(max_length=255)
    pid: int


class ClaimIn(SlotIntroduction):
    """A slot asks for work."""

    worker: str = Field(min_length=1, max_length=255)


class Claim(BaseModel):
    """An attempt that now belongs to the slot that asked."""

    run: str
    attempt: int
    start_after: int
    """The step to continue from; 0 without a checkpoint."""
    checkpoint: str | None
    """Digest of the checkpoint's blob."""
    lease_s: float
    comparison: str
    arm: str
    seed: int
    spec: dict[str, Any]


class HeartbeatIn(_In):
    """A slot reports that its attempt is alive."""

    attempt: int
    worker: str = Field(min_length=1, max_length=255)


class Heartbeat(BaseModel):
    """What the slot must know."""

    current: bool
    """Whether this attempt is still the run's."""
    state: State
    cancel: bool
    committed_seq: int
    """The attempt's last message that was stored."""


@worker_router.post(
    "/claim", responses={204: {"description": "nothing to do"}}, response_model=Claim
)
@writes_within(PROMPT_WAIT_S)
def claim_run(
    asked: ClaimIn, database: Db, workers: Slots, leases: AliveLeases, now: Now
) -> Claim | Response:
    """Give the slot the next queued run, or answer 204."""
    with database.write() as write:
        claimed = claims.claim(write, worker=asked.worker, device=asked.device, now=now)
        taken = claimed.run.id if claimed else None
        if claimed:
            leases.grant(claimed.run.id, claimed.run.attempt)
    workers.seen(asked.worker, device=asked.device, host=asked.host, pid=asked.pid, run=taken)
    if claimed is None:
        return Response(status_code=204)
    run = claimed.run
    log.info("claimed by %s", asked.worker, extra=logs.attempt_fields(run.id, run.attempt))
    return Claim(
        run=run.id,
        attempt=run.attempt,
        start_after=run.start_after,
        checkpoint=run.checkpoint,
        lease_s=leases.seconds,
        comparison=run.comparison_id,
        arm=run.arm,
        seed=run.seed,
        spec=claimed.spec,
    )


async def _renew_lease(run: str, beat: HeartbeatIn, leases: AliveLeases) -> HeartbeatIn:
    """Renew the lease that this attempt has, before anything that may have to wait.

    The sign of life counts also where the database is locked by another program and cannot be
    asked about the run.
    """
    leases.renew(run, beat.attempt)
    return beat


RenewingBeat = Annotated[HeartbeatIn, Depends(_renew_lease)]


@worker_router.post("/runs/{run}/heartbeat")
def send_heartbeat(
    run: str, beat: RenewingBeat, database: Db, workers: Slots, leases: AliveLeases
) -> Heartbeat:
    """Renew an attempt's lease; for a deleted run the answer is to cancel."""
    with database.read() as session:
        found = runs.by_id(session, [run]).get(run)
    if found is None:
        return Heartbeat(current=False, state="cancelled", cancel=True, committed_seq=0)
    current = found.attempt == beat.attempt
    if current and found.state == "running":
        leases.grant(run, beat.attempt)
        device = "cpu" if found.device == "cpu" else "cuda"
        workers.busy(beat.worker, run=run, device=device)
    return Heartbeat(
        current=current,
        state=found.state,
        cancel=found.cancel,
        committed_seq=found.committed_seq if current else 0,
    )


@worker_router.post("/workers/{name}/seen", status_code=204)
async def report_idle_worker(name: str, slot: SlotIntroduction, workers: Slots) -> None:
    """Note that an idle slot is alive."""
    workers.seen(name, device=slot.device, host=slot.host, pid=slot.pid, run=None)
