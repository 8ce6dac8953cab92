"""The spec by which the final runs of a comparison were trained: of a tuned one its best settings.

Verdicts and lists of arms show these, not those that the search began with.
"""

from collections.abc import Collection, Mapping

from pydantic import ValidationError
from sqlmodel import Session, col, select

from backend.comparisons.repository import stored_spec
from backend.db.models import Comparison, Run, Trial
from contract.comparison.spec import Arm, ComparisonSpec
from contract.tuning.specs import final_spec

BestTrials = Mapping[str, Trial]
"""Arm -> the trial whose settings its final runs have; without the arms that have none."""


def best_trials(session: Session, comparisons: Collection[str]) -> dict[str, dict[str, Trial]]:
    """Return the best trials of these comparisons, as their final runs have them."""
    rows = session.exec(
        select(Trial)
        .join(Run, col(Run.trial_id) == Trial.id)
        .where(col(Run.comparison_id).in_(comparisons), Run.role == "final")
    )
    found: dict[str, dict[str, Trial]] = {}
    for trial in rows:
        found.setdefault(trial.comparison_id, {})[trial.arm] = trial
    return found


def with_best(spec: ComparisonSpec, best: BestTrials) -> ComparisonSpec:
    """Return a spec whose arms have the settings of their best trials."""
    return spec.model_copy(update={"arms": [_trained(spec, arm, best) for arm in spec.arms]})


def trained_spec(session: Session, comparison: Comparison) -> ComparisonSpec:
    """Return the spec by which the final runs of a comparison were trained; the stored one where it
    is not tuned, or has no final runs yet.

    Raises:
        ConflictError: this version of Lossboard cannot read it; names every problem.
    """
    spec = stored_spec(comparison)
    if spec.tuning is None:
        return spec
    return with_best(spec, best_trials(session, [comparison.id]).get(comparison.id, {}))


def _trained(spec: ComparisonSpec, arm: Arm, best: BestTrials) -> Arm:
    trial = best.get(arm.name)
    if trial is None or spec.tuning is None:
        return arm
    epochs = trial.epochs if spec.tuning.folds > 1 else None
    try:
        [made] = final_spec(spec, arm.name, trial.params, epochs=epochs).arms
    except ValidationError:
        return arm  # another version drew settings that this one does not take
    return made.model_copy(update={"search": arm.search})
