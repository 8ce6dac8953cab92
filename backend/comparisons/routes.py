"""Comparisons: submit, list, read, change, delete, cancel, retry, more seeds.

What can be chosen.
"""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Body, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema
from sqlmodel import Session

from backend.auth import audit as trail
from backend.comparisons import repository as comparisons
from backend.comparisons import search as finding
from backend.comparisons.schemas import (
    ComparisonDetail,
    ComparisonOut,
    ComparisonPage,
    ComparisonPatch,
    MoreSeeds,
    comparison_detail,
    comparison_out,
)
from backend.datasets.requirements import upload_problems
from backend.db.models import Comparison
from backend.http.dependencies import Own, User
from backend.http.shared_reads import SharedRoute
from backend.http.times import Now
from backend.runs import progress, snapshots
from backend.runs import repository as runs
from backend.runs.schemas import RunList, State, run_out
from backend.state import Parts
from backend.verdict.schemas import Verdict
from backend.verdict.service import give_verdict
from backend.verdict.summary import Summary, summarise
from contract.catalogue.catalogue import catalogue
from contract.comparison.problems import SpecError
from contract.comparison.spec import ComparisonSpec, parse_spec

router = APIRouter(prefix="/comparisons", tags=["comparisons"], route_class=SharedRoute)


class _SpecSchema:
    """Documents a body as a spec, but leaves finding its problems to the contract."""

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(ComparisonSpec.__pydantic_core_schema__)


class _Find(BaseModel):
    q: str = Field("", description="Words of the name, the notes or the tags.")
    tag: str = ""
    created_by: str = ""
    state: State | None = None
    archived: bool = False
    sort: finding.Sort = "created_at"
    descending: bool | None = Field(None, description="By default the newest first, names from A.")
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=200)


@router.post("", status_code=201)
def submit(
    raw: Annotated[Any, _SpecSchema(), Body()], request: Request, own: Own, now: Now, user: User
) -> ComparisonDetail:
    """Store a comparison and queue its runs; workers are woken, at once or when they can be."""
    spec = _parsed(raw, own)
    with own.database.write() as write:
        if problems := upload_problems(write.session, raw):  # its data set cannot go from now on
            raise SpecError(problems)
        stored = spec.model_dump(mode="json")
        made = comparisons.create(write, spec=spec, raw=stored, now=now, user=user)
        out = detail(own, write.session, made, now)
    trail.note_created(request.scope, comparison=out.id)
    own.sweeper.poke()
    return out


@router.get("")
def find(asked: Annotated[_Find, Query()], own: Own, now: Now) -> ComparisonPage:
    """Those that match; archived ones only where they are asked for."""
    descending = asked.sort == "created_at" if asked.descending is None else asked.descending
    chosen = asked.model_dump(exclude={"page", "page_size", "descending"})
    wanted = finding.Asked(**chosen, descending=descending)
    with own.database.read() as session:
        rows, total = finding.find(session, wanted, page=asked.page, page_size=asked.page_size)
        tallies = progress.tallies(session, [row.id for row in rows])
        slots = own.workers.alive().total()
        listed = [comparison_out(row, tallies[row.id], slots=slots, now=now) for row in rows]
    short = [ComparisonOut(**detail.model_dump(exclude={"spec"})) for detail in listed]
    return ComparisonPage(
        comparisons=short, total=total, page=asked.page, page_size=asked.page_size
    )


@router.get("/{comparison}")
def read(comparison: str, own: Own, now: Now) -> ComparisonDetail:
    """One comparison with its spec."""
    with own.database.read() as session:
        return detail(own, session, comparisons.get(session, comparison), now)


@router.patch("/{comparison}")
def change(comparison: str, patch: ComparisonPatch, own: Own, now: Now) -> ComparisonDetail:
    """Rename, tag, note, archive."""
    with own.database.write() as write:
        changed = comparisons.change(write, comparison, **patch.model_dump())
        return detail(own, write.session, changed, now)


@router.delete("/{comparison}", status_code=204)
def remove(comparison: str, own: Own, now: Now, later: BackgroundTasks) -> None:
    """Delete it with its runs, points and snapshots; what still runs is told to stop."""
    with own.database.write() as write:
        blobs = snapshots.blobs(write.session, comparison)
        comparisons.remove(write, comparison)
    snapshots.drop_unused(own.database, own.blobs, blobs, now)
    later.add_task(snapshots.sweep, own.database, own.blobs, now)  # what was spared before


@router.post("/{comparison}/cancel")
def cancel(comparison: str, own: Own, now: Now) -> ComparisonDetail:
    """Cancel all its runs that are not over."""
    with own.database.write() as write:
        found = comparisons.get(write.session, comparison)
        for run in runs.of(write.session, comparison):
            runs.cancel(write, run, now=now)
        return detail(own, write.session, found, now)


@router.post("/{comparison}/retry")
def retry(comparison: str, own: Own, now: Now) -> ComparisonDetail:
    """Queue its failed and cancelled runs again."""
    with own.database.write() as write:
        found = comparisons.get(write.session, comparison)
        for run in runs.of(write.session, comparison):
            if run.state in {"failed", "cancelled"}:
                runs.retry(write, run)
        out = detail(own, write.session, found, now)
    own.sweeper.poke()
    return out


@router.post("/{comparison}/seeds")
def add_seeds(comparison: str, more: MoreSeeds, own: Own, now: Now) -> ComparisonDetail:
    """Run every arm with more seeds too, as part of the same comparison."""
    with own.database.write() as write:
        found = comparisons.add_seeds(write, comparison, more.seeds, now=now)
        out = detail(own, write.session, found, now)
    own.sweeper.poke()
    return out


@router.get("/{comparison}/runs")
def read_runs(comparison: str, own: Own, now: Now) -> RunList:
    """Its runs, seed by seed."""
    with own.database.read() as session:
        comparisons.get(session, comparison)
        return RunList(runs=[run_out(run, now) for run in runs.of(session, comparison)])


@router.get("/{comparison}/summary")
def read_summary(comparison: str, own: Own, baseline: str | None = None) -> Summary:
    """Arms x metrics: mean, standard deviation and 95 % interval over seeds; and each arm against
    the baseline, the first arm by default, paired by seed."""
    with own.database.read() as session:
        found = comparisons.get(session, comparison)
        _check_arms(found, baseline=baseline)
        return summarise(session, found, baseline)


@router.get("/{comparison}/verdict")
def read_verdict(comparison: str, own: Own, a: str | None = None, b: str | None = None) -> Verdict:
    """Nine claims about contrastive and triplet loss, judged by this comparison's runs.

    The first contrastive and the first triplet arm, or any two: a takes the contrastive one's
    place, b the triplet one's.
    """
    with own.database.read() as session:
        found = comparisons.get(session, comparison)
        _check_arms(found, a=a, b=b)
        return give_verdict(session, found, a, b)


def _parsed(raw: object, own: Parts) -> ComparisonSpec:
    """The spec.

    Raises:
        SpecError: with its problems, those with an uploaded data set among them.
    """
    try:
        return parse_spec(raw)
    except SpecError as error:
        with own.database.read() as session:
            also = upload_problems(session, raw)
        raise SpecError([*error.problems, *also]) from None


def _check_arms(comparison: Comparison, **asked: str | None) -> None:
    """Refuse arms that there are not, and the same one twice, by the names of the query's fields.

    Raises:
        RequestValidationError: names each such field.
    """
    arms = [arm["name"] for arm in comparison.spec["arms"]]
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for field, arm in asked.items():
        if arm is not None and arm not in arms:
            wrong[field] = f"there is no arm {arm!r}; the arms are {', '.join(map(repr, arms))}"
        elif arm in seen:
            wrong[field] = f"{arm!r} cannot be compared with itself; name another arm"
        if arm is not None:
            seen.add(arm)
    if wrong:
        raise RequestValidationError(
            [
                {"type": "value_error", "loc": ("query", field), "msg": message}
                for field, message in wrong.items()
            ]
        )


def detail(own: Parts, session: Session, comparison: Comparison, now: float) -> ComparisonDetail:
    """A comparison as it is in this session, its changes included."""
    slots = own.workers.alive().total()
    return comparison_detail(session, comparison, slots=slots, now=now)


catalogue_router = APIRouter(tags=["catalogue"])


@catalogue_router.get("/catalogue")
def read_catalogue() -> dict[str, Any]:
    """Data sets, encoders, losses, samplers, optimisers, presets and metrics, with schemas."""
    found = catalogue()
    # Of data that are downloaded or placed only the workers can say, each for its own machine.
    found["data"] = [
        {**row, "present": True if row["source"] in {"bundled", "own"} else None}
        for row in found["data"]
    ]
    return found
