"""Curves."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.errors import NotFoundError
from backend.http.dependencies import Own
from backend.http.shared_reads import SharedRoute
from backend.metrics import series
from backend.runs import repository as runs
from backend.runs.schemas import SeriesList, series_list

series_router = APIRouter(tags=["series"], route_class=SharedRoute)


@series_router.get("/series")
def read_series(
    own: Own,
    run: Annotated[list[str], Query(min_length=1, max_length=2000)],
    key: Annotated[list[str] | None, Query(max_length=200)] = None,
    after: Annotated[int, Query(ge=-1, lt=2**53, description="Only steps beyond this one.")] = -1,
    max_points: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> SeriesList:
    """Columns of the series of these runs and keys (all keys where none is given).

    A series with more points than `max_points` comes in buckets of 2^k steps anchored at 0: steps
    are the buckets' starts, values their means, with min and max beside.
    """
    with own.database.read() as session:
        asked = list(dict.fromkeys(run))
        missing = set(asked) - runs.by_id(session, asked).keys()
        if missing:
            raise NotFoundError(f"there is no run {', '.join(map(repr, sorted(missing)))}")
        found = series.find(session, runs=asked, keys=key or [])
        curves = series.read(session, found, after=after, most=max_points)
    return series_list(curves)
