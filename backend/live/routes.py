"""The live stream."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from backend.comparisons import repository as comparisons
from backend.http.dependencies import Own
from backend.live import stream as live

router = APIRouter(tags=["live"])


def _existing(comparison: str, own: Own) -> str:
    with own.database.read() as session:
        return comparisons.get(session, comparison).id


# Not response_class=EventSourceResponse: that asks for a generator of event objects, and ours
# writes its events itself.
@router.get(
    "/comparisons/{comparison}/live",
    response_class=StreamingResponse,
    responses={200: {"content": {EventSourceResponse.media_type: {}}}},
)
async def follow(
    comparison: Annotated[str, Depends(_existing)],
    own: Own,
    keys: Annotated[str, Query(description="Metric keys, comma-separated; empty for all.")] = "",
    last_event_id: Annotated[str, Header(description="Go on behind this event.")] = "",
) -> EventSourceResponse:
    """Server-sent events, each with the id of the last stream entry it holds:

    - `reset` {comparison, runs, series}: where to start from; first, unless resumed
    - `drop` {run, after}: forget the run's points with a step beyond `after` (-1: all)
    - `points` {series: [{run, key, steps, values}]}: at most a lowest, a highest and a last
      point per series and tenth of a second
    - `runs` {runs}: those that changed
    - `gone` {}: the comparison was deleted; the stream ends
    """
    wanted = [key for key in keys.split(",") if key]
    events = live.stream(
        own.hub,
        own.database,
        own.workers,
        comparison=comparison,
        keys=wanted,
        last_id=last_event_id,
    )
    # no-transform and X-Accel-Buffering keep proxies from holding events back
    headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    return EventSourceResponse(events, headers=headers)
