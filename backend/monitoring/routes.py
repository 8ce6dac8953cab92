"""Probes.

For Prometheus.

Whether every part that the API needs does its work; asked by probes and by the metrics.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.http.dependencies import Own
from backend.ingest.event_stream import Behind
from backend.monitoring.prometheus import CONTENT_TYPE, Metrics
from backend.state import Parts

MOST_BEHIND_S: Final = 30.0
"""Age of the oldest event that is not stored yet; beyond it what the pages show is old."""
LEAST_FREE: Final = 200_000_000
"""Bytes of room in the data folder; below it a snapshot or a checkpoint may find none."""


@dataclass(frozen=True)
class Health:
    """What was found; a problem is a sentence with what was seen and what to do, None if fine."""

    database: str | None
    broker: str | None
    collector: str | None
    disk: str | None
    behind: Behind | None
    """None while the broker does not answer."""
    disk_free: int
    """Bytes."""

    @property
    def parts(self) -> dict[str, str | None]:
        """Part -> its problem."""
        return {
            "database": self.database,
            "broker": self.broker,
            "collector": self.collector,
            "disk": self.disk,
        }


def check(own: Parts) -> Health:
    """Ask every part; takes as long as the slowest answers, a few seconds at most."""
    database, broker = None, None
    behind: Behind | None = None
    try:
        own.database.check_writable()
    except (SQLAlchemyError, TimeoutError) as error:
        database = f"it takes no writes ({_first_line(error)}); see that it runs and has room"
    try:
        behind = own.queue.behind()
    except (RedisError, OSError) as error:
        broker = f"it does not answer ({_first_line(error)}); start it, nothing else is needed"
    free = disk_free(own.settings.data_dir)
    disk = None
    if free < LEAST_FREE:
        disk = (
            f"{free:,} bytes are free in the data folder, {LEAST_FREE:,} are needed; "
            "delete comparisons or give it a larger disk"
        )
    return Health(database, broker, _collector(own, behind), disk, behind, free)


def disk_free(folder: Path) -> int:
    """Bytes that may still be written below a folder."""
    return shutil.disk_usage(folder).free


def _collector(own: Parts, behind: Behind | None) -> str | None:
    if not own.collector.is_alive():
        return "its thread has ended; restart the API, no event is lost"
    if behind is not None and behind.seconds > MOST_BEHIND_S:
        return (
            f"the oldest of {behind.entries:,} events waits for {behind.seconds:.0f} s, "
            f"{MOST_BEHIND_S:.0f} s are allowed; see whether the database is slow"
        )
    return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


router = APIRouter(prefix="/health", tags=["health"])

PartState = Literal["ok", "unavailable"]


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """A part that does not do its work."""

    part: str
    message: str
    """What was seen and what to do."""


class Ready(BaseModel):
    """Whether everything the API needs does its work."""

    status: PartState
    database: PartState
    """It takes writes."""
    broker: PartState
    collector: PartState
    """It lives, and no event waits for long."""
    disk: PartState
    """The data folder has room."""
    collector_lag: int | None
    """Entries of the event stream that are not stored yet; null while the broker is away."""
    collector_lag_s: float | None
    """Age of the oldest of them."""
    disk_free: int
    """Bytes."""
    problems: list[Problem]
    """Of each part that is unavailable."""


@router.get("/live")
def live() -> Live:
    """Answers as soon as the process serves."""
    return Live()


@router.get("/ready", responses={503: {"model": Ready}})
def ready(own: Own, response: Response) -> Ready:
    """200 if database, broker, collector and disk are all right, else 503 with the same body."""
    found = check(own)
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
        collector_lag=found.behind.entries if found.behind else None,
        collector_lag_s=round(found.behind.seconds, 3) if found.behind else None,
        disk_free=found.disk_free,
        problems=problems,
    )


def _state(*problems: str | None) -> PartState:
    return "unavailable" if any(problems) else "ok"


metrics_router = APIRouter(tags=["health"])


@metrics_router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}},
)
def read(request: Request, own: Own) -> Response:
    """Queue, slots, ingest, requests and sizes in Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(own), media_type=CONTENT_TYPE)
