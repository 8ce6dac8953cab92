"""HTTP routes: health probes, and the metrics for Prometheus."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from backend.http.dependencies import from_state
from backend.http.openapi import TEXT
from backend.monitoring import health
from backend.monitoring.prometheus import CONTENT_TYPE, Metrics
from backend.state import Parts

Process = Annotated[Parts, from_state("parts")]

router = APIRouter(prefix="/health", tags=["health"])

PartState = Literal["ok", "unavailable"]


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """A part that does not work."""

    part: str
    message: str
    """What was seen and what to do."""


class Ready(BaseModel):
    """Whether everything that the API needs works."""

    status: PartState
    database: PartState
    """It takes writes."""
    broker: PartState
    """It answers, and its memory is not full."""
    collector: PartState
    """It lives, and no event waits for long."""
    disk: PartState
    """The folders of the data can be written, and have room."""
    collector_lag: int | None
    """Entries of the event stream that are not stored yet; null while the broker is away."""
    collector_lag_s: float | None
    """Age of the oldest of them."""
    disk_free: int
    """Bytes."""
    problems: list[Problem]
    """One for each part that is unavailable."""


@router.get("/live")
async def get_liveness() -> Live:
    """Answer as soon as the process serves requests; needs no thread, no database and no broker."""
    return Live()


@router.get("/ready", responses={503: {"model": Ready}})
def get_readiness(process: Process, response: Response) -> Ready:
    """Answer 200 if database, broker, collector and disk work, else 503 with the same body."""
    found = health.check_health(process)
    problems = [
        Problem(part=part, message=problem) for part, problem in found.parts.items() if problem
    ]
    if problems:
        response.status_code = 503
    return Ready(
        status=_state(*found.parts.values()),
        database=_state(found.database),
        broker=_state(found.broker),
        collector=_state(found.collector),
        disk=_state(found.disk),
        collector_lag=found.lag.entries if found.lag else None,
        collector_lag_s=round(found.lag.seconds, 3) if found.lag else None,
        disk_free=found.disk_free,
        problems=problems,
    )


def _state(*problems: str | None) -> PartState:
    return "unavailable" if any(problems) else "ok"


metrics_router = APIRouter(tags=["health"])


@metrics_router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: TEXT}}},
)
def get_metrics(request: Request, process: Process) -> Response:
    """Return queue, slots, ingest, requests and sizes in Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(process), media_type=CONTENT_TYPE)
