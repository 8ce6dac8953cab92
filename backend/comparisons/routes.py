"""HTTP routes: submit, find, read, change, delete, cancel and retry comparisons, add seeds."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request
from pydantic import BaseModel, Field

from backend.auth import audit
from backend.auth.dependencies import User
from backend.comparisons import edits, search
from backend.comparisons import repository as comparisons
from backend.comparisons.edits import Edit
from backend.comparisons.posted import PostedSpec, Roots, parse_posted
from backend.comparisons.results import results_of
from backend.comparisons.schemas import (
    ComparisonDetail,
    ComparisonOut,
    ComparisonPage,
    ComparisonPatch,
    EditConflict,
    MoreSeeds,
    comparison_detail,
    comparison_out,
)
from backend.datasets.requirements import upload_problems
from backend.http.dependencies import Db, Wake
from backend.http.shared_reads import SharedRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.runs.lengths import UNKNOWN, read_lengths
from backend.runs.progress import count_runs
from backend.runs.repository import RoleAsked
from backend.runs.schemas import RunList, State, run_out
from backend.storage.blobs import BlobStore
from backend.tuning.budget import MostRuns
from backend.workers.registry import Slots
from contract.comparison.problems import SpecError

router = APIRouter(prefix="/comparisons", tags=["comparisons"], route_class=SharedRoute)


class _FindQuery(BaseModel):
    q: str = Field("", description="Words of the name, the notes or the tags.")
    tag: str = ""
    created_by: str = ""
    state: State | None = None
    archived: bool = False
    sort: search.Sort = "created_at"
    descending: bool | None = Field(
        None, description="By default the newest or best first, names from A."
    )
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=200)


@router.post("", status_code=201)
@writes
def create_comparison(
    raw: PostedSpec,
    request: Request,
    *,
    database: Db,
    workers: Slots,
    wake: Wake,
    now: Now,
    user: User,
    data_roots: Roots,
    most: MostRuns,
) -> ComparisonDetail:
    """Store a comparison, queue its runs and wake workers, as soon as the broker is available."""
    spec = parse_posted(raw, database, data_roots, most)
    with database.write() as write:
        # From here on its data set cannot be deleted.
        if problems := upload_problems(write.session, raw):
            raise SpecError(problems)
        full = spec.model_dump(mode="json")
        created = comparisons.create(write, spec=spec, raw=full, now=now, user=user)
        detail = comparison_detail(write.session, created, workers, now)
    audit.note_created(request.scope, comparison=detail.id)
    wake()
    return detail


@router.get("")
def list_comparisons(
    asked: Annotated[_FindQuery, Query()], database: Db, workers: Slots, now: Now
) -> ComparisonPage:
    """Return a page of the comparisons that match; archived ones only if requested."""
    newest_or_best = asked.sort in {"created_at", "result"}
    descending = newest_or_best if asked.descending is None else asked.descending
    chosen = asked.model_dump(exclude={"page", "page_size", "descending"})
    wanted = search.ComparisonQuery(**chosen, descending=descending)
    with database.read() as session:
        rows, total = search.find(session, wanted, page=asked.page, page_size=asked.page_size)
        counted = count_runs(session, [row.id for row in rows])
        results = results_of(session, [row.id for row in rows])
        slots = workers.alive().total()
        is_open = {row.id: row.spec for row in rows if counted[row.id].is_open}
        lengths = read_lengths(session, is_open, now)
        listed = [
            comparison_out(
                row,
                counted[row.id],
                results.get(row.id),
                slots=slots,
                now=now,
                lengths=lengths.get(row.id, UNKNOWN),
            )
            for row in rows
        ]
    short = [ComparisonOut(**detail.model_dump(exclude={"spec"})) for detail in listed]
    return ComparisonPage(
        comparisons=short, total=total, page=asked.page, page_size=asked.page_size
    )


@router.get("/{comparison}")
def get_comparison(comparison: str, database: Db, workers: Slots, now: Now) -> ComparisonDetail:
    """Return one comparison with its spec."""
    with database.read() as session:
        return comparison_detail(session, comparisons.get(session, comparison), workers, now)


@router.patch("/{comparison}", responses={409: {"model": EditConflict}})
@writes
def update_comparison(
    comparison: str, patch: ComparisonPatch, database: Db, workers: Slots, now: Now
) -> ComparisonDetail:
    """Change the name, tags, notes or whether it is archived.

    With the `version` that the editor has seen, a change is refused with 409 when somebody else has
    edited the comparison meanwhile; `current` then has what stands there now."""
    with database.write() as write:
        changed = edits.change(write, comparison, Edit(**patch.model_dump()))
        return comparison_detail(write.session, changed, workers, now)


@router.delete("/{comparison}", status_code=204)
@writes
def delete_comparison(
    comparison: str, database: Db, blobs: BlobStore, now: Now, later: BackgroundTasks
) -> None:
    """Delete a comparison with its runs, points and snapshots; running runs are stopped."""
    with database.write() as write:
        unused = snapshots.blob_kinds(write.session, comparison)
        comparisons.remove(write, comparison)
    snapshots.delete_unused_blobs(database, blobs, unused, now)
    # Also the blobs that were too new to delete at an earlier time.
    later.add_task(snapshots.delete_all_unused_blobs, database, blobs, now)


@router.post("/{comparison}/cancel")
@writes
def cancel_comparison(comparison: str, database: Db, workers: Slots, now: Now) -> ComparisonDetail:
    """Cancel all its runs that have not ended, and its search."""
    with database.write() as write:
        found = comparisons.get(write.session, comparison)
        runs.cancel_all(write, comparison, now=now)
        return comparison_detail(write.session, found, workers, now)


@router.post("/{comparison}/retry")
@writes
def retry_comparison(
    comparison: str, database: Db, workers: Slots, wake: Wake, now: Now
) -> ComparisonDetail:
    """Queue its failed and cancelled runs again, those of trials only during the search."""
    with database.write() as write:
        found = comparisons.get(write.session, comparison)
        runs.retry_all(write, comparison)
        detail = comparison_detail(write.session, found, workers, now)
    wake()
    return detail


@router.post("/{comparison}/seeds")
@writes
def add_seeds(
    comparison: str,
    more: MoreSeeds,
    *,
    database: Db,
    workers: Slots,
    wake: Wake,
    most: MostRuns,
    now: Now,
) -> ComparisonDetail:
    """Queue every arm for additional seeds, as part of the same comparison."""
    with database.write() as write:
        found = comparisons.add_seeds(write, comparison, more.seeds, now=now, most=most)
        detail = comparison_detail(write.session, found, workers, now)
    wake()
    return detail


@router.get("/{comparison}/runs")
def list_runs(
    comparison: str,
    database: Db,
    now: Now,
    role: Annotated[RoleAsked, Query(description="Those of trials, or both kinds.")] = "final",
) -> RunList:
    """Return its runs in their order: seed by seed, or trial by trial."""
    with database.read() as session:
        spec = comparisons.get(session, comparison).spec
        found = runs.of_comparison(session, comparison, role)
        lengths = read_lengths(session, {comparison: spec}, now)[comparison]
        return RunList(runs=[run_out(run, now, lengths) for run in found])
