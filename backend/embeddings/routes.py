"""HTTP routes: the snapshots of a comparison and their projections."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field

from backend.comparisons import repository as comparisons
from backend.embeddings import differences, projections, service
from backend.embeddings.projections import ProjectionQuery
from backend.embeddings.schemas import (
    Method,
    ProjectionOut,
    Size,
    Space,
    SpaceDistances,
    SpaceFacts,
    SpaceHardest,
    SpaceMoved,
    SpaceNeighbours,
)
from backend.embeddings.service import BlobReader
from backend.errors import NotFoundError
from backend.export.files import content_disposition
from backend.http.dependencies import Db
from backend.http.openapi import BINARY, TEXT
from backend.http.times import Now
from backend.http.writing import writes
from backend.runs import snapshots
from backend.storage.blobs import BlobStore

router = APIRouter(prefix="/comparisons/{comparison}", tags=["space"])

Seed = Annotated[int, Query(ge=0, lt=2**31)]
Epoch = Annotated[int, Query(ge=0, lt=2**31)]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of a blob, as hex digits."""

MEDIA: Final = {
    "facts": "application/json",
    "samples": "application/json",
    "sprite": "image/png",
    "sounds": "audio/wav",
}
BYTES: Final = "application/octet-stream"
# The digest is made from the content, so an answer never changes.
FOREVER: Final = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
_BLOB: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": dict.fromkeys((BYTES, *sorted(set(MEDIA.values()))), BINARY)}
}


class _NeighbourQuery(BaseModel):
    seed: int = Field(ge=0, lt=2**31)
    epoch: int = Field(ge=0, lt=2**31)
    sample: int = Field(ge=0, lt=2**31)
    k: int = Field(10, ge=1, le=100)


class _MovedQuery(BaseModel):
    seed: int = Field(ge=0, lt=2**31)
    epoch: int = Field(ge=0, lt=2**31)
    a: str | None = Field(None, min_length=1, max_length=200)
    b: str | None = Field(None, min_length=1, max_length=200)


@router.get("/space")
def get_space(
    comparison: str,
    database: Db,
    reader: BlobReader,
    seed: Annotated[int | None, Query(ge=0, lt=2**31)] = None,
) -> Space:
    """Return the held-out samples, and which runs have snapshots of which epochs.

    The samples are those of `seed`, or of the first seed; where the split is replicated (`shared`
    is false), each seed has its own."""
    with database.read() as session:
        return service.space(session, reader, comparison, seed)


@router.get("/space/facts")
def get_space_facts(
    comparison: str, database: Db, reader: BlobReader, seed: Seed, epoch: Epoch
) -> SpaceFacts:
    """Return how every arm places each sample at an epoch."""
    with database.read() as session:
        return service.facts(session, reader, comparison, seed=seed, epoch=epoch)


@router.get("/space/neighbours")
def get_space_neighbours(
    comparison: str, database: Db, reader: BlobReader, asked: Annotated[_NeighbourQuery, Query()]
) -> SpaceNeighbours:
    """Return the nearest other samples of one sample in every arm, at most those that are kept."""
    with database.read() as session:
        return service.neighbours(session, reader, comparison, **asked.model_dump())


@router.get("/space/distances")
def get_space_distances(
    comparison: str, database: Db, reader: BlobReader, seed: Seed
) -> SpaceDistances:
    """Return histograms of the distances of pairs, for every arm and epoch."""
    with database.read() as session:
        return service.distances(session, reader, comparison, seed=seed)


@router.get("/space/hardest")
def get_space_hardest(
    comparison: str, database: Db, reader: BlobReader, seed: Seed, epoch: Epoch
) -> SpaceHardest:
    """Return every arm's hardest triplets and pairs, and samples whose label is suspect."""
    return differences.hardest(database, reader, comparison, seed=seed, epoch=epoch)


@router.get("/space/moved")
def get_space_moved(
    comparison: str, database: Db, reader: BlobReader, asked: Annotated[_MovedQuery, Query()]
) -> SpaceMoved:
    """Return how much two arms agree: neighbours kept by class, and linear CKA."""
    return differences.moved(database, reader, comparison, **asked.model_dump())


@router.get("/size")
def get_size(comparison: str, database: Db, blobs: BlobStore) -> Size:
    """Return what deleting it frees: blobs that no other comparison needs, points, runs."""
    with database.read() as session:
        return service.size(session, blobs, comparison)


@router.get("/blobs/{digest}", response_class=FileResponse, responses=_BLOB)
def get_blob(comparison: str, digest: Digest, database: Db, blobs: BlobStore) -> FileResponse:
    """Return one of its blobs: embeddings, samples, facts, sprite, sounds or coordinates."""
    with database.read() as session:
        comparisons.get(session, comparison)
        kind = snapshots.blob_kinds(session, comparison).get(digest)
    if kind is None or kind == "checkpoint":  # only a worker can use a checkpoint
        raise NotFoundError(f"comparison {comparison!r} has no blob {digest}")
    path = blobs.path(digest)
    return FileResponse(path, media_type=MEDIA.get(kind, BYTES), headers=FOREVER)


projection_router = APIRouter(prefix="/comparisons/{comparison}/projection", tags=["space"])


def _question(
    comparison: str,
    seed: Annotated[int, Query(ge=0, lt=2**31)],
    method: Method,
    dims: Annotated[Literal["2", "3"], Query()] = "2",
) -> ProjectionQuery:
    """Read the question from the address."""
    return ProjectionQuery(comparison, seed, method, 2 if dims == "2" else 3)


Asked = Annotated[ProjectionQuery, Depends(_question)]


@projection_router.get("")
def get_projection(asked: Asked, database: Db, reader: BlobReader, now: Now) -> ProjectionOut:
    """Return the coordinates of all arms and epochs, or the progress of their computation.

    The first request starts it. The result is kept until there are newer snapshots; then the next
    request starts it again."""
    return projections.request_projection(database, reader, asked, now)


@projection_router.post("")
@writes
def start_projection(asked: Asked, database: Db, reader: BlobReader, now: Now) -> ProjectionOut:
    """Start it if it was cancelled or has failed, or if nobody has requested it yet."""
    return projections.restart_projection(database, reader, asked, now)


@projection_router.delete("")
@writes
def cancel_projection(asked: Asked, database: Db, reader: BlobReader, now: Now) -> ProjectionOut:
    """Cancel its computation, for all who wait for it; a result that is ready stays."""
    return projections.cancel_projection(database, reader, asked, now)


@projection_router.get(
    "/coordinates.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": TEXT}}},
)
def get_projection_table(
    asked: Asked, database: Db, blobs: BlobStore, reader: BlobReader, now: Now
) -> StreamingResponse:
    """Return the coordinates as a table; 409 until they are ready."""
    name, lines = projections.coordinates_csv(database, blobs, reader, asked, now)
    headers = {"Content-Disposition": content_disposition(name)}
    return StreamingResponse(lines, media_type="text/csv", headers=headers)
