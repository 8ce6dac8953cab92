"""HTTP routes: the search of a comparison, what its settings do, and more trials."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError

from backend.http.dependencies import Db, Wake
from backend.http.shared_reads import SharedRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.tuning import engine, repository
from backend.tuning.answers import searched_paths, sensitivity, tuning_out
from backend.tuning.budget import MostRuns
from backend.tuning.engine import Searches
from backend.tuning.schemas import MoreTrials, Sensitivity, TuningOut

router = APIRouter(prefix="/comparisons", tags=["comparisons"], route_class=SharedRoute)

LONGEST_PATH: Final = 100
"""Characters of a path that an error shows."""


@router.get("/{comparison}/tuning")
def get_tuning(comparison: str, database: Db, searches: Searches) -> TuningOut:
    """Return the trials of every arm of a comparison that is tuned, and what they tell."""
    with database.read() as session:
        search = repository.load(session, comparison)
        return tuning_out(session, search, searches.problem(comparison))


@router.get("/{comparison}/tuning/sensitivity")
def get_sensitivity(
    comparison: str,
    database: Db,
    path: Annotated[str, Query(description="A setting that an arm searches: loss.margin.")],
) -> Sensitivity:
    """Return the trials of the arms that search a setting, along its values."""
    with database.read() as session:
        search = repository.load(session, comparison)
        known = searched_paths(search)
        if path not in known:
            others = ", ".join(known) or "none"
            message = f"no arm searches {path[:LONGEST_PATH]!r}; searched are {others}"
            raise RequestValidationError(
                [{"type": "value_error", "loc": ("query", "path"), "msg": message}]
            )
        return sensitivity(session, search, path)


@router.post("/{comparison}/tuning/more")
@writes
def add_trials(
    comparison: str,
    more: MoreTrials,
    *,
    database: Db,
    searches: Searches,
    most: MostRuns,
    wake: Wake,
    now: Now,
) -> TuningOut:
    """Give every arm more trials; refused with 409 once the final runs exist, because from then on
    the test split has been read."""
    engine.add_trials(database, comparison, more.trials, most=most, now=now)
    wake()
    with database.read() as session:
        search = repository.load(session, comparison)
        return tuning_out(session, search, searches.problem(comparison))
