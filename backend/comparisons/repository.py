"""Comparisons in the database: create and delete them, and read their stored specs."""

import secrets
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, delete, select

from backend.db.database import Write
from backend.db.models import Comparison, Run, Tag
from backend.errors import ConflictError, NotFoundError
from backend.metrics.points import discard_series
from backend.plugins.repository import digests_of_arms
from backend.tuning import engine as tuning
from backend.tuning.budget import check_runs
from contract.comparison.checks import duplicate_problems
from contract.comparison.problems import Problem, SpecError, problems_of_validation
from contract.comparison.replication import data_seed_problem
from contract.comparison.spec import MAX_SEEDS, ComparisonSpec
from contract.comparison.training import ANY_DEVICE


def create(
    write: Write, *, spec: ComparisonSpec, raw: dict[str, Any], now: float, user: str = "local"
) -> Comparison:
    """Store a comparison and its queued runs; `raw` is the spec in full, as JSON.

    Of a comparison that is tuned these are the runs of its first trials.

    Raises:
        SpecError: no settings in the search space of an arm fit together.
    """
    comparison = Comparison(
        id=f"c{secrets.token_hex(5)}",
        name=spec.name,
        notes=spec.notes,
        created_by=user,
        created_at=now,
        tags=list(spec.tags),
        spec=raw,
    )
    write.session.add(comparison)
    write.session.flush()
    index_tags(write.session, comparison)
    if spec.tuning is not None:
        tuning.begin(write, comparison, spec, now)
        return comparison
    arms = [arm.name for arm in spec.arms]
    _add_runs(write.session, comparison, arms, spec.seeds, first=0, now=now)
    return comparison


def get(session: Session, comparison: str) -> Comparison:
    """Return one comparison.

    Raises:
        NotFoundError: no comparison has this id.
    """
    found = session.get(Comparison, comparison)
    if found is None:
        raise NotFoundError(f"there is no comparison {comparison!r}")
    return found


def stored_spec(comparison: Comparison) -> ComparisonSpec:
    """Return the spec that was submitted.

    Raises:
        ConflictError: this version of Lossboard cannot read it; names every problem.
    """
    try:
        return ComparisonSpec.model_validate(comparison.spec)
    except ValidationError as error:
        raise ConflictError(
            "this comparison was made by another version of Lossboard: its spec cannot be read "
            "any more, its curves and runs can",
            problems_of_validation(error),
        ) from None


def add_seeds(
    write: Write, comparison: str, seeds: Sequence[int], *, now: float, most: int | None = None
) -> Comparison:
    """Queue a run of every arm for each of these new seeds.

    While a search is on, its final runs have them too, once they are queued.

    Args:
        write: the transaction.
        comparison: its id.
        seeds: the new ones.
        now: seconds since the epoch.
        most: runs that it may have if it is tuned, those of its trials included; None for any
            number.

    Raises:
        NotFoundError: no comparison has this id.
        SpecError: the comparison has one of the seeds already, a seed occurs twice, or there would
            be too many, or the data seeds of their splits would be too large.
    """
    found = get(write.session, comparison)
    known = found.spec["seeds"]
    problems = _seed_problems(known, seeds)
    if (section := found.spec.get("tuning")) is not None:
        problems += tuning.seed_problems(section, seeds)
    if found.spec.get("replicate") == "split" and (
        problem := data_seed_problem(found.spec["data"]["seed"], len(known) + len(seeds))
    ):
        problems.append(Problem("seeds", f"{problem}; add fewer"))
    if problems:
        raise SpecError(problems)
    found.spec = {**found.spec, "seeds": [*known, *seeds]}
    write.session.add(found)
    if section is not None:
        if most is not None:
            check_runs(stored_spec(found), most, "seeds")
        tuning.add_seeds(write, found, seeds, now)
        return found
    arms = [arm["name"] for arm in found.spec["arms"]]
    made = _add_runs(write.session, found, arms, seeds, first=len(known) * len(arms), now=now)
    write.updates[comparison].runs.update({run.id: run for run in made})
    return found


def remove(write: Write, comparison: str) -> list[str]:
    """Delete a comparison with its runs and all they have measured; return the ids of the runs.

    Its points are deleted later, in small batches (backend.metrics.points.purge_discarded). The
    worker of a running run learns from its next heartbeat that the run is gone.

    Raises:
        NotFoundError: no comparison has this id.
    """
    found = get(write.session, comparison)
    runs = write.session.exec(select(Run.id, Run.role).where(Run.comparison_id == comparison)).all()
    for run, role in runs:
        discard_series(write.session, run)
        if role == "trial":
            write.updates[run].gone = True  # who follows it alone
    write.session.exec(delete(Comparison).where(col(Comparison.id) == found.id))
    write.updates[comparison].gone = True
    return [run for run, _ in runs]


def index_tags(session: Session, comparison: Comparison) -> None:
    """Store the tags by which a comparison is found; it has none stored yet."""
    session.add_all(
        Tag(tag=tag, comparison_id=comparison.id) for tag in dict.fromkeys(comparison.tags)
    )


def _add_runs(
    session: Session,
    comparison: Comparison,
    arms: Sequence[str],
    seeds: Sequence[int],
    *,
    first: int,
    now: float,
) -> list[Run]:
    """Add queued runs, the first at position `first`.

    Their order is seed by seed, so that all arms of the first seed can be compared early.
    """
    pairs = [(arm, seed) for seed in seeds for arm in arms]
    digests = digests_of_arms(session, comparison.spec)
    runs = [
        Run(
            id=f"r{secrets.token_hex(5)}",
            comparison_id=comparison.id,
            position=position,
            arm=arm,
            seed=seed,
            created_by=comparison.created_by,
            wants=comparison.spec["training"].get("device", ANY_DEVICE),
            loss_digest=digests[arm],
            created_at=now,
        )
        for position, (arm, seed) in enumerate(pairs, first)
    ]
    session.add_all(runs)
    return runs


def _seed_problems(known: Sequence[int], seeds: Sequence[int]) -> list[Problem]:
    problems = [
        Problem(f"seeds[{at}]", f"seed {seed} has its runs already; name another")
        for at, seed in enumerate(seeds)
        if seed in known
    ]
    problems += duplicate_problems(list(seeds), "seeds")
    total = len(known) + len(seeds)
    if total > MAX_SEEDS:
        message = (
            f"a comparison has at most {MAX_SEEDS} seeds; it has {len(known)}, "
            f"so name at most {MAX_SEEDS - len(known)} more, not {len(seeds)}"
        )
        problems.append(Problem("seeds", message))
    return problems
