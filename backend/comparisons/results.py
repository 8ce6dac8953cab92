"""Results of comparisons as the board shows them: read the stored ones, and find what is missing.

A result is stored when the last run of a comparison has ended (backend.verdict.kept_results). It
counts as long as the runs are those that it was computed from: when seeds are added or runs are
retried there is none until they have ended too.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from sqlalchemy import Select, and_, case, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.db.models import Comparison, ComparisonResult, Run
from contract.catalogue.claims import CLAIMS_VERSION
from contract.metrics import Better
from contract.statistics import Word

_DEFINITION: Final = 1
"""Count it up when what a result holds is defined anew."""
RESULT_VERSION: Final = 1000 * CLAIMS_VERSION + _DEFINITION
"""Results of another version are computed again."""
_OPEN: Final = ("queued", "running")


class BestArm(BaseModel):
    """The arm with the best mean in the comparison's main metric."""

    arm: str
    metric: str
    """Key of the main metric: MAP@R of the test split, or cross-modal MAP."""
    label: str
    better: Better
    mean: float
    sd: float | None
    """Standard deviation over the runs; null for one run."""
    n: int
    """Runs that have a value."""
    level_with: int
    """Other arms that are not clearly different from it."""


class Result(BaseModel):
    """What came out of a comparison, in short."""

    best: BestArm | None
    """Null where no arm was trained and has a value."""
    claims: dict[Word, int] | None
    """Word -> claims that got it; null where no two arms can be judged by the claims."""
    no_claims: str
    """Why none is judged; else empty."""


class Ended(NamedTuple):
    """The final runs of a comparison, all of which have ended."""

    runs: int
    attempts: int
    succeeded: int


def ended_runs(session: Session, comparisons: Sequence[str]) -> dict[str, Ended]:
    """Return the final runs of those of these comparisons that have some, and none that is open."""
    own = _ended().where(col(Run.comparison_id).in_(comparisons))
    return {comparison: Ended(*counts) for comparison, *counts in session.connection().execute(own)}


def results_of(session: Session, comparisons: Sequence[str]) -> dict[str, Result]:
    """Return the results of those of these comparisons that have a current one."""
    rows = session.exec(
        select(ComparisonResult).where(
            col(ComparisonResult.comparison_id).in_(comparisons),
            col(ComparisonResult.version) == RESULT_VERSION,
        )
    ).all()
    ended = ended_runs(session, [row.comparison_id for row in rows]) if rows else {}
    return {
        row.comparison_id: Result.model_validate(row.result)
        for row in rows
        if ended.get(row.comparison_id) == (row.runs, row.attempts, row.succeeded)
    }


def find_without_result(session: Session, *, after: str, limit: int) -> list[str]:
    """Return ids of comparisons that have ended and have no current result, by rising id.

    Args:
        session: a transaction.
        after: only ids beyond this one; "" for all.
        limit: of the ids.
    """
    ended = _ended().where(col(Run.comparison_id) > after).subquery()
    current = and_(
        col(ComparisonResult.comparison_id) == ended.c.comparison_id,
        col(ComparisonResult.version) == RESULT_VERSION,
        col(ComparisonResult.runs) == ended.c.runs,
        col(ComparisonResult.attempts) == ended.c.attempts,
        col(ComparisonResult.succeeded) == ended.c.succeeded,
    )
    query = (
        columns(ended.c.comparison_id)
        .outerjoin(ComparisonResult, current)
        .where(col(ComparisonResult.comparison_id).is_(None))
        .order_by(ended.c.comparison_id)
        .limit(limit)
    )
    return [comparison for (comparison,) in session.connection().execute(query)]


def store_result(session: Session, comparison: Comparison, ended: Ended, result: Result) -> None:
    """Store a comparison's result, in place of an older one."""
    best = result.best
    sign = -1 if best and best.better == "lower" else 1
    session.merge(
        ComparisonResult(
            comparison_id=comparison.id,
            version=RESULT_VERSION,
            runs=ended.runs,
            attempts=ended.attempts,
            succeeded=ended.succeeded,
            data=data_key(comparison.spec),
            metric=best.metric if best else None,
            merit=sign * best.mean if best else None,
            result=result.model_dump(mode="json"),
        )
    )


def data_key(spec: Mapping[str, Any]) -> str:
    """Return which data a spec trains and measures on: the name, and a digest of all choices but
    the seed of the split."""
    data = {key: value for key, value in spec["data"].items() if key != "seed"}
    digest = sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    return f"{data['kind']}:{digest[:16]}"


def _ended() -> Select[str, int, int, Any]:
    succeeded = func.sum(case((col(Run.state) == "succeeded", 1), else_=0))
    open_runs = func.sum(case((col(Run.state).in_(_OPEN), 1), else_=0))
    return (
        columns(
            col(Run.comparison_id),
            func.count().label("runs"),
            func.sum(col(Run.attempt)).label("attempts"),
            succeeded.label("succeeded"),
        )
        .where(col(Run.role) == "final")
        .group_by(col(Run.comparison_id))
        .having(open_runs == 0)
    )
