"""What runs keep of their trained models, in the database.

Of arms that train a whole backbone only the best seed keeps its weights: when a better one has
succeeded, the others' rows lose their blob, and the retention deletes it once no row names it.
"""

from collections.abc import Iterable

from sqlmodel import Session, col, delete, select

from backend.db.database import Write
from backend.db.models import Artifact, Run
from contract.artifacts import ArtifactKind
from contract.events import Artifact as ArtifactEvent


def put(write: Write, run: Run, artifact: ArtifactEvent) -> None:
    """Store what a run has kept; it replaces what an earlier attempt kept of the same kind."""
    write.session.merge(Artifact(run_id=run.id, **artifact.model_dump()))
    write.session.flush()


def settle(write: Write, run: Run) -> None:
    """Let a run that has ended keep what it has stored if it has succeeded, and only then drop
    worse weights of its arm; nothing is left of others."""
    if run.state != "succeeded":
        delete_of(write.session, run.id)
        return
    weights = write.session.get(Artifact, (run.id, "weights"))
    if weights is not None and weights.digest and _is_best_only(weights):
        _keep_best(write.session, run)


def delete_of(session: Session, run: str) -> None:
    """Delete all that a run has kept."""
    session.exec(delete(Artifact).where(col(Artifact.run_id) == run))


def of_runs(
    session: Session, runs: Iterable[str], kind: ArtifactKind | None = None
) -> dict[str, dict[str, Artifact]]:
    """Return what runs have kept, by run and kind."""
    query = select(Artifact).where(col(Artifact.run_id).in_(list(runs)))
    if kind is not None:
        query = query.where(Artifact.kind == kind)
    found: dict[str, dict[str, Artifact]] = {}
    for row in session.exec(query).all():
        found.setdefault(row.run_id, {})[row.kind] = row
    return found


def _keep_best(session: Session, run: Run) -> None:
    """Keep the weights of the seed of the run's arm with the best objective on validation data, of
    equal ones the first seed; the others lose theirs."""
    rows = session.exec(
        select(Artifact, Run.seed)
        .join(Run, col(Run.id) == col(Artifact.run_id))
        .where(
            col(Run.comparison_id) == run.comparison_id,
            col(Run.arm) == run.arm,
            col(Run.role) == run.role,
            col(Run.state) == "succeeded",
            col(Artifact.kind) == "weights",
            col(Artifact.digest).is_not(None),
        )
    ).all()
    ranked = sorted(rows, key=lambda row: (-_score(row[0]), row[1]))
    best = ranked[0][1]
    for row, _ in ranked[1:]:
        if not _is_best_only(row):
            continue
        row.digest = None
        row.problem = f"of a whole backbone only the best seed is kept, which is seed {best}"
        session.add(row)


def _is_best_only(row: Artifact) -> bool:
    """Return whether weights are to go when a better seed's are there."""
    return row.facts.get("whole_backbone") is True and row.facts.get("keep") != "all"


def _score(row: Artifact) -> float:
    score = row.facts.get("score")
    return score if isinstance(score, float | int) else float("-inf")
