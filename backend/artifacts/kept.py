"""What the runs of a comparison keep of their models, and which of them to take."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from backend.artifacts.schemas import KeptModel, KeptPart, Models, Suggestion
from backend.db.models import Artifact, Comparison, Run
from backend.runs import artifacts
from backend.runs import repository as runs
from backend.verdict.advice import Found
from backend.verdict.leaderboard import found_of_retrieval
from backend.verdict.wording import listed_arms, named
from contract.comparison.data import stored_shape
from contract.metrics import METRICS, objective_of


def models(session: Session, comparison: Comparison) -> Models:
    """Return what each final run keeps, and which model is suggested."""
    rows = runs.of_comparison(session, comparison.id)
    kept = artifacts.of_runs(session, [run.id for run in rows])
    listed = [_kept_model(run, kept.get(run.id, {})) for run in rows]
    arms = [arm["name"] for arm in comparison.spec["arms"]]
    found = found_of_retrieval(session, comparison) if len(arms) > 1 else None
    objective = METRICS[objective_of(stored_shape(comparison.spec["data"]))].label
    return Models(suggested=_suggest(arms, listed, found, objective), runs=listed)


def _kept_model(run: Run, parts: Mapping[str, Artifact]) -> KeptModel:
    weights = parts.get("weights")
    facts = weights.facts if weights else {}
    return KeptModel(
        run=run.id,
        arm=run.arm,
        seed=run.seed,
        state=run.state,
        parts=[
            KeptPart(kind=row.kind, kept=row.digest is not None, size=row.size, problem=row.problem)
            for row in parts.values()
        ],
        score=facts.get("score"),
        parameters=facts.get("parameters"),
    )


def _suggest(
    arms: Sequence[str], listed: Sequence[KeptModel], found: Found | None, objective: str
) -> Suggestion | None:
    """Suggest the arm that the advice names for retrieval, and its best seed."""
    done = [one for one in listed if one.state == "succeeded"]
    having = {one.arm for one in done}
    first = [arm for arm in (found.first if found else arms) if arm in having]
    if not first:
        return None
    arm = first[0]
    own = [one for one in done if one.arm == arm]
    best = max(own, key=lambda one: (_score(one), -one.seed))
    return Suggestion(
        arm=arm,
        seed=best.seed,
        run=best.run,
        why_arm=_why_arm(arm, arms, first, found),
        why_seed=_why_seed(best, own, objective),
        level=list(first) if found and len(first) > 1 and not found.in_part else [],
    )


def _why_arm(arm: str, arms: Sequence[str], first: Sequence[str], found: Found | None) -> str:
    if len(arms) == 1:
        return "It is the only arm."
    if found is None:
        return f"{named(arm)} is the first arm that has a finished run; no two are compared yet."
    if found.leaning:
        return f"These runs lean towards {named(arm)} for {found.use}, without deciding it."
    if len(first) == 1:
        return f"The leaderboard's advice for {found.use} is {named(arm)}."
    if found.in_part:
        return (
            f"{named(arm)} has the best mean for {found.use}. None of {listed_arms(first)} is "
            "ahead of another in all metrics, but some differ clearly in one: see the Leaderboard."
        )
    alike = (
        "are level"
        if all(frozenset((arm, other)) in found.level for other in first if other != arm)
        else "have no clear difference"
    )
    return (
        f"{listed_arms(first)} {alike} for {found.use}: {named(arm)} has the best mean; the "
        "difference may be chance, or too small to matter. Each of them is as good a choice."
    )


def _why_seed(best: KeptModel, own: Sequence[KeptModel], objective: str) -> str:
    if len(own) == 1:
        return "It is the only finished run of this arm."
    if best.score is None:
        return "No run of this arm tells its validation score: this is its first seed."
    return (
        f"Of {len(own)} seeds, seed {best.seed} has the best {objective} on the validation split "
        f"({best.score:.3f}). The test split did not choose it."
    )


def _score(one: KeptModel) -> float:
    return float("-inf") if one.score is None else one.score
