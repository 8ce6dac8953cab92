"""HTTP routes: list the worker slots; and, with the worker token, claim a run and report on it."""

import logging
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.auth.dependencies import worker_token
from backend.db.database import Database
from backend.db.models import Run
from backend.http.dependencies import Db, from_state
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.http.writing import PROMPT_WAIT_S, writes_within
from backend.runs import repository as runs
from backend.runs.schemas import State
from backend.workers import claims
from backend.workers.claims import ClaimedRun
from backend.workers.registry import AliveLeases, Leases, Slots, SlotUsage, WorkerOut, Workers
from contract import logs
from contract.artifacts import Keep
from contract.comparison.plugins import MAX_PLUGINS

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
LossDigest = Annotated[str, Field(min_length=1, max_length=64)]
Kept = Annotated[Keep, from_state("keep")]
"""What runs keep of their trained models."""


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SlotIntroduction(_In):
    """A slot introduces itself."""

    device: Device
    host: str = Field(max_length=255)
    pid: int
    losses: list[LossDigest] = Field(default_factory=list, max_length=MAX_PLUGINS)
    """Digests of the plug-ins that it can train with."""


class ClaimIn(SlotIntroduction):
    """A slot asks for work."""

    worker: str = Field(min_length=1, max_length=255)
    most: int = Field(1, ge=1, le=1000)
    """Runs that it would train together; it gets one at least."""


class ClaimedAttempt(BaseModel):
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
    keep: Keep
    """What it is to keep of its trained model."""
    loss_digest: str | None
    """Of the plug-in that its loss is; null for our own losses."""


class Claim(ClaimedAttempt):
    """An attempt that now belongs to the slot that asked, and those to train with it."""

    others: list[ClaimedAttempt]
    """Empty unless the slot asked for more than one."""


class HeartbeatIn(_In):
    """A slot reports that its attempt is alive."""

    attempt: int
    worker: str = Field(min_length=1, max_length=255)


class AliveAttempt(_In):
    """An attempt that is alive."""

    run: str = Field(max_length=255)
    attempt: int


class HeartbeatsIn(_In):
    """A slot reports that its attempts are alive."""

    worker: str = Field(min_length=1, max_length=255)
    runs: list[AliveAttempt] = Field(min_length=1, max_length=1000)
    usage: SlotUsage | None = None
    """What the trainer of these attempts uses of the machine."""


class Heartbeat(BaseModel):
    """What the slot must know."""

    current: bool
    """Whether this attempt is still the run's."""
    state: State
    cancel: bool
    committed_seq: int
    """The attempt's last message that was stored."""


class Heartbeats(BaseModel):
    """What the slot must know about each of its attempts."""

    answers: list[Heartbeat]
    """In the order of the question."""


@worker_router.post(
    "/claim", responses={204: {"description": "nothing to do"}}, response_model=Claim
)
@writes_within(PROMPT_WAIT_S)
def claim_run(
    asked: ClaimIn, *, database: Db, workers: Slots, leases: AliveLeases, keep: Kept, now: Now
) -> Claim | Response:
    """Give the slot the next queued run, and others that it may train with it, or answer 204."""
    idle = workers.count_idle(asked.device, asked.worker)
    with database.write() as write:
        claimed = claims.claim(
            write,
            worker=asked.worker,
            device=asked.device,
            now=now,
            most=asked.most,
            idle_slots=idle,
            digests=asked.losses,
        )
        for one in claimed:
            leases.grant(one.run.id, one.run.attempt)
    taken = [one.run.id for one in claimed]
    workers.seen(
        asked.worker,
        device=asked.device,
        host=asked.host,
        pid=asked.pid,
        runs=taken,
        digests=asked.losses,
    )
    for one in claimed:
        extra = logs.attempt_fields(one.run.id, one.run.attempt)
        log.info("claimed by %s", asked.worker, extra=extra)
    attempts = [_attempt(one, leases.seconds, keep) for one in claimed]
    if not attempts:
        return Response(status_code=204)
    return Claim(**attempts[0].model_dump(), others=attempts[1:])


def _attempt(claimed: ClaimedRun, lease_s: float, keep: Keep) -> ClaimedAttempt:
    run = claimed.run
    return ClaimedAttempt(
        run=run.id,
        attempt=run.attempt,
        start_after=run.start_after,
        checkpoint=run.checkpoint,
        lease_s=lease_s,
        comparison=run.comparison_id,
        arm=run.arm,
        seed=run.seed,
        spec=claimed.spec,
        keep=keep,
        loss_digest=run.loss_digest or None,
    )


async def _renew_lease(run: str, beat: HeartbeatIn, leases: AliveLeases) -> HeartbeatIn:
    """Renew the lease that this attempt has, before anything that may have to wait.

    The sign of life counts also where the database is locked by another program and cannot be
    asked about the run.
    """
    leases.renew(run, beat.attempt)
    return beat


async def _renew_leases(beat: HeartbeatsIn, leases: AliveLeases) -> HeartbeatsIn:
    """Renew the leases that these attempts have, for the same reason."""
    for one in beat.runs:
        leases.renew(one.run, one.attempt)
    return beat


RenewingBeat = Annotated[HeartbeatIn, Depends(_renew_lease)]
RenewingBeats = Annotated[HeartbeatsIn, Depends(_renew_leases)]


@worker_router.post("/runs/{run}/heartbeat")
def send_heartbeat(
    run: str, beat: RenewingBeat, database: Db, workers: Slots, leases: AliveLeases
) -> Heartbeat:
    """Renew an attempt's lease; for a deleted run the answer is to cancel."""
    alive = [AliveAttempt(run=run, attempt=beat.attempt)]
    return _answer_heartbeats(beat.worker, alive, database, workers, leases)[0]


@worker_router.post("/heartbeats")
def send_heartbeats(
    beat: RenewingBeats, database: Db, workers: Slots, leases: AliveLeases
) -> Heartbeats:
    """Renew the leases of all attempts of a slot; for a deleted run the answer is to cancel."""
    answers = _answer_heartbeats(
        beat.worker, beat.runs, database, workers, leases, usage=beat.usage
    )
    return Heartbeats(answers=answers)


def _answer_heartbeats(
    worker: str,
    attempts: Sequence[AliveAttempt],
    database: Database,
    workers: Workers,
    leases: Leases,
    *,
    usage: SlotUsage | None = None,
) -> list[Heartbeat]:
    with database.read() as session:
        found = runs.by_id(session, {one.run for one in attempts})
    answers: list[Heartbeat] = []
    under_way: list[Run] = []
    for one in attempts:
        run = found.get(one.run)
        if run is None:
            answers.append(
                Heartbeat(current=False, state="cancelled", cancel=True, committed_seq=0)
            )
            continue
        current = run.attempt == one.attempt
        if current and run.state == "running":
            leases.grant(run.id, one.attempt)
            under_way.append(run)
        answers.append(
            Heartbeat(
                current=current,
                state=run.state,
                cancel=run.cancel,
                committed_seq=run.committed_seq if current else 0,
            )
        )
    if under_way:
        device = "cpu" if under_way[0].device == "cpu" else "cuda"
        workers.busy(worker, runs=[run.id for run in under_way], device=device, usage=usage)
    return answers


@worker_router.post("/workers/{name}/seen", status_code=204)
async def report_idle_worker(name: str, slot: SlotIntroduction, workers: Slots) -> None:
    """Note that an idle slot is alive."""
    workers.seen(name, device=slot.device, host=slot.host, pid=slot.pid, digests=slot.losses)
