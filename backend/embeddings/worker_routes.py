"""HTTP routes for workers and projectors: blobs and projections. They need the worker token."""

from typing import Any, Final, Literal, Self

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.auth.dependencies import worker_token
from backend.embeddings import projections, repository
from backend.embeddings.routes import BYTES, FOREVER, Digest
from backend.embeddings.schemas import Method
from backend.embeddings.service import BlobReader
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.runs import snapshots
from backend.storage.blobs import BlobStore, receive_blob
from contract.events import Digest as BlobName

router = APIRouter(
    prefix="/internal",
    tags=["internal"],
    dependencies=[Depends(worker_token)],
    route_class=JsonRoute,
)

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_MAX_REASON: Final = 2000
"""Characters that are kept of the reason for a failure."""


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EpochInput(BaseModel):
    """One snapshot to project."""

    epoch: int
    embeddings: str
    """Digest of its blob."""


class ArmInput(BaseModel):
    """The snapshots of one arm."""

    arm: str
    epochs: list[EpochInput]


class Task(BaseModel):
    """A projection that now belongs to the projector that asked."""

    id: str
    method: Method
    dims: Literal[2, 3]
    seed: int
    inputs: list[ArmInput]


class ClaimIn(_In):
    """What a projector that asks for work computes."""

    methods: list[Method] | None = None
    """None for all methods."""


class ProgressIn(_In):
    """How much of a projection is done."""

    progress: float = Field(ge=0, le=1)


class Wanted(BaseModel):
    """What the projector must know."""

    current: bool
    """False when it was cancelled, or the comparison deleted."""


ANY_METHOD: Final = ClaimIn()


class EndIn(_In):
    """The coordinates' blob, or why there is none."""

    digest: BlobName | None = None
    error: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.digest is None) == (self.error is None):
            raise ValueError("give either the digest of the coordinates or an error")
        return self


@router.put("/blobs/{digest}", status_code=204, openapi_extra=_BODY)
async def store_worker_blob(digest: Digest, request: Request, blobs: BlobStore) -> None:
    """Store bytes under the SHA-256 of their content; storing them twice changes nothing."""
    await receive_blob(request, blobs, digest)


@router.get("/blobs/{digest}", response_class=FileResponse)
def get_worker_blob(digest: Digest, blobs: BlobStore) -> FileResponse:
    """Return the bytes of any blob."""
    return FileResponse(blobs.path(digest), media_type=BYTES, headers=FOREVER)


@router.post(
    "/projections/claim", responses={204: {"description": "nothing to do"}}, response_model=Task
)
@writes
def claim_projection(
    database: Db, blobs: BlobStore, now: Now, asked: ClaimIn = ANY_METHOD
) -> Task | Response:
    """Give a projector the projection that has waited longest, or answer 204.

    A projection whose embeddings were deleted fails."""
    while True:
        with database.read() as session:  # projectors look often
            if not repository.any_claimable(session, now, asked.methods):
                return Response(status_code=204)
        with database.write() as write:
            found = repository.claim(write, now, asked.methods)
            if found is None:
                return Response(status_code=204)
            task = Task.model_validate(found.model_dump())
            missing = next(
                (
                    f"the embeddings of {arm.arm!r} at epoch {one.epoch} are not on the API's disk"
                    for arm in task.inputs
                    for one in arm.epochs
                    if not blobs.has(one.embeddings)
                ),
                None,
            )
            if missing is None:
                return task
            repository.fail(write, found, missing, now)


@router.post("/projections/{projection}/progress")
@writes
def report_projection_progress(
    projection: str, report: ProgressIn, database: Db, now: Now
) -> Wanted:
    """Store how much is done, and answer whether the result is still wanted."""
    with database.write() as write:
        return Wanted(current=repository.note_progress(write, projection, report.progress, now))


@router.post("/projections/{projection}/end", status_code=204)
@writes
def end_projection(
    projection: str, report: EndIn, *, database: Db, blobs: BlobStore, reader: BlobReader, now: Now
) -> None:
    """End a projection as ready or failed; if it was deleted or has ended already, do nothing."""
    gone: list[str] = []
    with database.write() as write:
        found = repository.find(write.session, projection)
        if found is None or found.state != "running":
            gone = [report.digest] if report.digest else []
        elif report.digest is None:
            repository.fail(write, found, str(report.error)[:_MAX_REASON], now)
        else:
            problem = projections.coordinates_problem(
                blobs, reader, write.session, found, report.digest
            )
            if problem:
                repository.fail(write, found, problem, now)
            else:
                gone = repository.finish(write, found, report.digest, now)
    snapshots.delete_unused_blobs(database, blobs, dict.fromkeys(gone, "coordinates"), now)
