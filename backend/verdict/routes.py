"""HTTP routes: the summary of a comparison, its leaderboard, and the verdict on the claims."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError

from backend.comparisons import repository as comparisons
from backend.db.models import Comparison
from backend.http.dependencies import Db, from_state
from backend.http.shared_reads import SharedRoute
from backend.metrics.keys import check_keys
from backend.verdict.leaderboard import RANKED_METRICS, leaderboard
from backend.verdict.leaderboard_schemas import Leaderboard
from backend.verdict.schemas import Verdict
from backend.verdict.service import give_verdict
from backend.verdict.summary import Summary
from backend.verdict.summary_cache import SummaryCache

router = APIRouter(prefix="/comparisons", tags=["comparisons"], route_class=SharedRoute)

Summaries = Annotated[SummaryCache, from_state("summaries")]


@router.get("/{comparison}/summary", response_model=Summary)
def get_summary(
    comparison: str, database: Db, summaries: Summaries, baseline: str | None = None
) -> Response:
    """Return mean, standard deviation and 95 % interval over seeds of every arm and metric.

    Each arm is also compared with the baseline, the first arm by default, paired by seed."""
    with database.read() as session:
        found = comparisons.get(session, comparison)
        _check_arms(found, baseline=baseline)
        body = summaries.summary_json(session, found, baseline)
    return Response(body, media_type="application/json")


@router.get("/{comparison}/verdict")
def get_verdict(
    comparison: str, database: Db, a: str | None = None, b: str | None = None
) -> Verdict:
    """Judge nine claims about contrastive and triplet loss by this comparison's runs.

    By default it takes the first contrastive and the first triplet arm; any two may be named: a in
    the place of the contrastive arm, b in that of the triplet arm.
    """
    with database.read() as session:
        found = comparisons.get(session, comparison)
        _check_arms(found, a=a, b=b)
        return give_verdict(session, found, a, b)


@router.get("/{comparison}/leaderboard")
def get_leaderboard(
    comparison: str,
    database: Db,
    metrics: Annotated[
        list[str] | None, Query(max_length=50, description="Metrics; repeated for several.")
    ] = None,
) -> Leaderboard:
    """Rank all arms by the quality of their embeddings, and tell which differences may be chance.

    By default by the test split's main metrics that were measured; others can be named.
    """
    asked = metrics or []
    check_keys(asked, known=RANKED_METRICS, what="metric of held-out data", field="metrics")
    with database.read() as session:
        return leaderboard(session, comparisons.get(session, comparison), asked)


def _check_arms(comparison: Comparison, **asked: str | None) -> None:
    """Check the arms that a query names, by the name of the field.

    Raises:
        RequestValidationError: an arm does not exist, or comes twice; it names each such field.
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
