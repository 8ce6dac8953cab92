"""Runs and their logs."""

from fastapi import APIRouter

from backend.http.dependencies import Now, Own
from backend.http.shared_reads import SharedRoute
from backend.runs import repository as runs
from backend.runs.schemas import LogOut, RunOut, run_out

router = APIRouter(prefix="/runs", tags=["runs"], route_class=SharedRoute)


@router.get("/{run}")
def read(run: str, own: Own, now: Now) -> RunOut:
    """One run."""
    with own.database.read() as session:
        return run_out(runs.get(session, run), now)


@router.get("/{run}/log")
def read_log(run: str, own: Own) -> LogOut:
    """What the run's trainers said, the newest 10,000 lines."""
    with own.database.read() as session:
        runs.get(session, run)
        return LogOut(lines=runs.log_lines(session, run))


@router.post("/{run}/cancel")
def cancel(run: str, own: Own, now: Now) -> RunOut:
    """Queued: cancelled at once. Running: told to stop; what was measured stays."""
    with own.database.write() as write:
        found = runs.get(write.session, run)
        runs.cancel(write, found, now=now)
    return run_out(found, now)


@router.post("/{run}/retry")
def retry(run: str, own: Own, now: Now) -> RunOut:
    """Queue a failed or cancelled run again, as a new attempt."""
    with own.database.write() as write:
        found = runs.get(write.session, run)
        runs.retry(write, found)
    own.sweeper.poke()
    return run_out(found, now)
