"""HTTP route: what a spec would make, without storing it."""

from fastapi import APIRouter
from sqlmodel import Session

from backend.auth.dependencies import User
from backend.comparisons.posted import PostedSpec, Roots, parse_posted
from backend.datasets import repository as datasets
from backend.datasets.check_report import Facts
from backend.datasets.requirements import upload_problems
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.preview.schedule import schedule
from backend.preview.schemas import Preview, preview_out
from backend.tuning.budget import MostRuns
from backend.workers.registry import Slots
from contract.comparison.data import Data, OwnData, TupleTableData
from contract.comparison.problems import SpecError
from contract.preview.class_sizes import ClassSizes, class_sizes
from contract.preview.figures import figures
from contract.preview.warnings import warnings

router = APIRouter(prefix="/comparisons", tags=["comparisons"], route_class=JsonRoute)


@router.post("/preview")
def preview_comparison(
    raw: PostedSpec,
    *,
    database: Db,
    workers: Slots,
    now: Now,
    user: User,
    data_roots: Roots,
    most: MostRuns,
) -> Preview:
    """Return what a comparison would consist of: runs, splits, steps and tuples, when it would be
    trained, and warnings.

    Nothing is stored; a spec that `POST /comparisons` refuses is refused in the same way."""
    spec = parse_posted(raw, database, data_roots, most)
    with database.read() as session:
        if problems := upload_problems(session, raw):
            raise SpecError(problems)
        sizes, shape = _sizes(session, spec.data)
        planned = schedule(
            session, spec, workers.listed(), user=user, now=now, offered=workers.digests()
        )
    found = figures(spec, sizes, shape)
    return preview_out(found, planned, warnings(spec, found))


def _sizes(session: Session, data: Data) -> tuple[ClassSizes | None, dict[str, int]]:
    """Return the class sizes of data, None for data that only the workers can read, and the numbers
    in a row of uploaded features."""
    if not isinstance(data, OwnData):
        return class_sizes(data), {}
    found = datasets.find(session, data.dataset) if data.dataset else None
    if found is None:
        return None, {}
    facts = Facts.model_validate(found.facts)
    shape = facts.shape
    if isinstance(data, TupleTableData):
        shape = {**shape, "tuples": facts.items}
    return ClassSizes(tuple(facts.counts), facts.parts or None), shape
