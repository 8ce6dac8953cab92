"""Probes."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.deps import Own

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether everything the API needs answers."""

    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]
    broker: Literal["ok", "unavailable"]
    collector_lag: int | None
    """Entries of the event stream that are not stored yet; null while the broker is away."""


@router.get("/live")
def live() -> Live:
    """Answers as soon as the process serves."""
    return Live()


@router.get("/ready", responses={503: {"model": Ready}})
def ready(own: Own, response: Response) -> Ready:
    """200 if database and broker answer, else 503 with the same body."""
    database, broker = True, True
    lag: int | None = None
    try:
        own.database.answers()
    except SQLAlchemyError:
        database = False
    try:
        lag = own.queue.lag()
    except (RedisError, OSError):
        broker = False
    if not (database and broker):
        response.status_code = 503
    return Ready(
        status="ok" if database and broker else "unavailable",
        database="ok" if database else "unavailable",
        broker="ok" if broker else "unavailable",
        collector_lag=lag,
    )
