"""Projections of a comparison's snapshots."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from backend.embeddings import projections as projecting
from backend.embeddings.projections import Question
from backend.embeddings.schemas import Method, ProjectionOut
from backend.export.filenames import disposition
from backend.http.dependencies import Now, Own

projection_router = APIRouter(prefix="/comparisons/{comparison}/projection", tags=["space"])


def question(
    comparison: str,
    seed: Annotated[int, Query(ge=0, lt=2**31)],
    method: Method,
    dims: Annotated[Literal["2", "3"], Query()] = "2",
) -> Question:
    """What the query asks for."""
    return Question(comparison, seed, method, 2 if dims == "2" else 3)


Asked = Annotated[Question, Depends(question)]


@projection_router.get("")
def ask(asked: Asked, own: Own, now: Now) -> ProjectionOut:
    """Coordinates of all arms and epochs; asking has them made, and asking again says how far
    they are. They are kept; once there are newer snapshots, asking makes new ones."""
    return projecting.ask(own, asked, now)


@projection_router.get(
    "/coordinates.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}},
)
def read_table(asked: Asked, own: Own, now: Now) -> StreamingResponse:
    """The coordinates as a table; 409 until they are ready."""
    name, lines = projecting.table(own, asked, now)
    headers = {"Content-Disposition": disposition(name)}
    return StreamingResponse(lines, media_type="text/csv", headers=headers)
