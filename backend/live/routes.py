"""HTTP route: the live event stream of a comparison, a snapshot and then every change."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from backend.auth.dependencies import StillAdmitted
from backend.comparisons import repository as comparisons
from backend.comparisons.schemas import comparison_out
from backend.db.database import Database
from backend.db.models import Run
from backend.errors import NotFoundError
from backend.http.dependencies import Db
from backend.http.openapi import TEXT
from backend.http.times import CLOCK
from backend.live.hub import Hub, LiveHub
from backend.live.viewer import Flush, Viewer, encode_json
from backend.metrics import series
from backend.metrics.keys import SERIES_KEYS, check_keys
from backend.runs import repository as runs
from backend.runs.lengths import Lengths, lengths_of, read_lengths
from backend.runs.progress import count_runs
from backend.runs.schemas import run_out, series_list
from backend.workers.registry import Slots, Workers

PING_S: Final = 15.0
CHECK_S: Final = 2.0
"""Time between checks that the viewer's token is still accepted."""
PACE_S: Final = 0.1
"""Time between two flushes; the first one after a quiet time is sent at once."""
RESET_POINTS: Final = 300_000
"""Points of a snapshot over all its series; each series gets at most 1000."""


async def stream(
    hub: Hub,
    database: Database,
    workers: Workers,
    *,
    comparison: str,
    run: Run | None,
    keys: Sequence[str],
    last_id: str,
    admitted: Callable[[], bool] = lambda: True,
) -> AsyncIterator[bytes]:
    """Yield encoded events until the viewer leaves, is not admitted any more, or the comparison is
    deleted.

    They are of its final runs; or, if a run is given, of that run alone.
    """
    viewer = hub.subscribe(comparison, keys, run)
    position = last_id
    lengths: Lengths | None = None
    ping_at = time.monotonic() + PING_S
    try:
        if not hub.resume(viewer, last_id):
            viewer.needs_reset = True
        while not viewer.closed:
            if viewer.needs_reset:
                viewer.begin_reset()
                try:
                    data, position, lengths = await _reset(
                        viewer, database, workers, comparison, run
                    )
                except NotFoundError:
                    yield _event("gone", encode_json({}), position)
                    return
                yield data
            wait_s = PACE_S if viewer.held_back else CHECK_S
            woken = await viewer.wait(wait_s)
            if not admitted():
                return
            if woken or viewer.held_back:
                if viewer.needs_reset or viewer.closed:
                    continue
                flush = viewer.flush(CLOCK())
                if lengths is None or any(one.state == "succeeded" for one in flush.runs):
                    lengths = await asyncio.to_thread(_read_lengths, database, comparison)
                for data in _events(flush, position, lengths):
                    yield data
                position = flush.position
                ping_at = time.monotonic() + PING_S
                if flush.updates.gone:
                    return
                # Wait for the next beat of the clock that all viewers share: those that flush at
                # the same time share the commits that are merged for them.
                await viewer.pause(PACE_S - time.monotonic() % PACE_S)
            elif time.monotonic() >= ping_at:
                yield KEEPALIVE_COMMENT
                ping_at = time.monotonic() + PING_S
    finally:
        hub.unsubscribe(viewer)


async def _reset(
    viewer: Viewer, database: Database, workers: Workers, comparison: str, run: Run | None
) -> tuple[bytes, str, Lengths]:
    now = CLOCK()
    slots = workers.alive().total()

    def snapshot() -> tuple[bytes, int, str, list[Run], Lengths]:
        with database.snapshot() as (session, version, position):
            found = comparisons.get(session, comparison)
            counted = count_runs(session, [found.id])[found.id]
            all_runs = [runs.get(session, run.id)] if run else runs.of_comparison(session, found.id)
            rows = series.find(session, runs=[run.id for run in all_runs], keys=sorted(viewer.keys))
            max_points = min(1000, max(50, RESET_POINTS // max(1, len(rows))))
            curves = series.read(session, rows, after=-1, max_points=max_points)
            lengths = read_lengths(session, {found.id: found.spec}, now)[found.id]
            session.expunge_all()
        head = comparison_out(found, counted, slots=slots, now=now, lengths=lengths)
        body = {
            "comparison": head,
            "runs": [run_out(run, now, lengths) for run in all_runs],
            "series": series_list(curves).series,
        }
        return _event("reset", encode_json(body), position), version, position, all_runs, lengths

    data, version, position, all_runs, lengths = await asyncio.to_thread(snapshot)
    viewer.end_reset(version, position, all_runs, now)
    return data, position, lengths


def _read_lengths(database: Database, comparison: str) -> Lengths:
    with database.read() as session:
        return lengths_of(session, comparison, CLOCK())


def _events(flush: Flush, before: str, lengths: Lengths) -> list[bytes]:
    """Encode a flush; only its last event has the new id, so that id stands for all of them."""
    updates = flush.updates
    bodies = [
        ("drop", encode_json({"run": run, "after": after})) for run, after in updates.drops.items()
    ]
    if updates.points:
        bodies.append(("points", updates.points_json))
    if flush.runs:
        now = CLOCK()
        changed = [run_out(run, now, lengths) for run in flush.runs]
        bodies.append(("runs", encode_json({"runs": changed})))
    if updates.gone:
        bodies.append(("gone", encode_json({})))
    last = len(bodies) - 1
    return [
        _event(name, body, flush.position if at == last else before)
        for at, (name, body) in enumerate(bodies)
    ]


def _event(name: str, data: bytes, position: str) -> bytes:
    return format_sse_event(data_str=data.decode(), event=name, id=position or None)


router = APIRouter(tags=["live"])


def _existing(comparison: str, database: Db) -> str:
    """Return the id, or answer 404 before the stream starts."""
    with database.read() as session:
        return comparisons.get(session, comparison).id


def _asked_run(
    comparison: Annotated[str, Depends(_existing)],
    database: Db,
    run: Annotated[
        str, Query(description="Only this run of the comparison, which may be of a trial.")
    ] = "",
) -> Run | None:
    """Return the run that is followed alone; None for all final ones."""
    if not run:
        return None
    with database.read() as session:
        found = runs.get(session, run)
        session.expunge_all()
    if found.comparison_id != comparison:
        raise NotFoundError(f"comparison {comparison!r} has no run {run!r}")
    return found


# Not response_class=EventSourceResponse: that takes a generator of event objects, and this route
# encodes its events itself.
@router.get(
    "/comparisons/{comparison}/live",
    response_class=StreamingResponse,
    responses={200: {"content": {EventSourceResponse.media_type: TEXT}}},
)
async def follow_comparison(
    comparison: Annotated[str, Depends(_existing)],
    *,
    database: Db,
    workers: Slots,
    hub: LiveHub,
    admitted: StillAdmitted,
    keys: Annotated[str, Query(description="Metric keys, comma-separated; empty for all.")] = "",
    run: Annotated[Run | None, Depends(_asked_run)],
    last_event_id: Annotated[str, Header(description="Go on behind this event.")] = "",
) -> EventSourceResponse:
    """Server-sent events of the final runs of a comparison, or of one run of any kind.

    Each has the id of the last stream entry it holds:

    - `reset` {comparison, runs, series}: where to start from; first, unless resumed
    - `drop` {run, after}: forget the run's points with a step beyond `after` (-1: all)
    - `points` {series: [{run, key, steps, values}]}: at most a lowest, a highest and a last
      point per series and tenth of a second
    - `runs` {runs}: those that changed
    - `gone` {}: the comparison was deleted; the stream ends
    """
    wanted = [key for key in keys.split(",") if key]
    check_keys(wanted, known=SERIES_KEYS, field="keys")
    events = stream(
        hub,
        database,
        workers,
        comparison=comparison,
        run=run,
        keys=wanted,
        last_id=last_event_id,
        admitted=admitted,
    )
    # no-transform and X-Accel-Buffering stop proxies from delaying events
    headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    return EventSourceResponse(events, headers=headers)
