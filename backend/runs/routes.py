"""HTTP routes: runs, their logs and their series."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.errors import NotFoundError
from backend.http.dependencies import Db, Wake
from backend.http.shared_reads import SharedRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.metrics import series
from backend.metrics.keys import SERIES_KEYS, check_keys
from backend.runs import repository as runs
from backend.runs.lengths import lengths_of
from backend.runs.schemas import (
    LogOut,
    RunDetail,
    RunOut,
    SeriesList,
    run_detail,
    run_out,
    series_list,
)

router = APIRouter(prefix="/runs", tags=["runs"], route_class=SharedRoute)


@router.get("/{run}")
def get_run(run: str, database: Db, now: Now) -> RunDetail:
    """Return one run, with the machine that it is or was trained on."""
    with database.read() as session:
        found = runs.get(session, run)
        return run_detail(found, now, lengths_of(session, found.comparison_id, now))


@router.get("/{run}/log")
def get_run_log(run: str, database: Db) -> LogOut:
    """Return the log of the run's trainers, the newest 10,000 lines."""
    with database.read() as session:
        runs.get(session, run)
        return LogOut(lines=runs.log_lines(session, run))


@router.post("/{run}/cancel")
@writes
def cancel_run(run: str, database: Db, now: Now) -> RunOut:
    """Cancel a run: at once if it is queued, else after its current step; measured values stay."""
    with database.write() as write:
        found = runs.get(write.session, run)
        runs.cancel(write, found, now=now)
    return run_out(found, now)


@router.post("/{run}/retry")
@writes
def retry_run(run: str, database: Db, wake: Wake, now: Now) -> RunOut:
    """Queue a failed or cancelled run again, as a new attempt."""
    with database.write() as write:
        found = runs.get(write.session, run)
        runs.retry(write, found)
    wake()
    return run_out(found, now)


series_router = APIRouter(tags=["series"], route_class=SharedRoute)


@series_router.get("/series")
def get_series(
    database: Db,
    run: Annotated[list[str], Query(min_length=1, max_length=2000)],
    key: Annotated[list[str] | None, Query(max_length=200)] = None,
    after: Annotated[int, Query(ge=-1, lt=2**53, description="Only steps beyond this one.")] = -1,
    max_points: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> SeriesList:
    """Return columns of the series of these runs and keys (all keys if none is given).

    A series with more points than `max_points` comes in buckets of 2^k steps anchored at 0: steps
    are the buckets' starts, values their means, with min and max.
    """
    with database.read() as session:
        asked = list(dict.fromkeys(run))
        missing = set(asked) - runs.by_id(session, asked).keys()
        if missing:
            raise NotFoundError(f"there is no run {', '.join(map(repr, sorted(missing)))}")
        found = series.find(session, runs=asked, keys=key or [])
        # Older versions may have measured what this one does not know.
        check_keys(key or (), known=SERIES_KEYS | {row.key for row in found})
        curves = series.read(session, found, after=after, max_points=max_points)
    return series_list(curves)
