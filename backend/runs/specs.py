"""The spec that a run is trained by: its comparison's, or one with the settings of a trial."""

from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from backend.db.models import Comparison, Run, Trial
from contract.comparison.problems import problems_of_validation
from contract.comparison.spec import ComparisonSpec
from contract.tuning.specs import final_spec, trial_spec


class UnreadableSpecError(Exception):
    """This version cannot train by what is stored; the message says why, for people."""


def spec_to_train(session: Session, run: Run) -> dict[str, Any]:
    """Return the spec that a trainer gets for a run, as JSON.

    Without a tuning it is the stored one as it is: its trainer says what it cannot do.

    Raises:
        UnreadableSpecError: the comparison is tuned, and its spec or the settings of the run's
            trial cannot be read, or do not fit together any more.
    """
    stored = session.get_one(Comparison, run.comparison_id).spec
    if stored.get("tuning") is None:
        return stored
    trial = None if run.trial_id is None else session.get(Trial, run.trial_id)
    if trial is None:
        raise UnreadableSpecError("the trial whose settings it has is not in the database")
    try:
        spec = ComparisonSpec.model_validate(stored)
        if spec.tuning is None:  # it was not null just above
            raise UnreadableSpecError("its tuning cannot be read")
        if run.role == "trial":
            made = trial_spec(spec, run.arm, trial.params, run.fold)
        else:
            epochs = trial.epochs if spec.tuning.folds > 1 else None
            made = final_spec(spec, run.arm, trial.params, epochs=epochs)
    except ValidationError as error:
        said = "; ".join(f"{one.path}: {one.message}" for one in problems_of_validation(error))
        raise UnreadableSpecError(f"another version of Lossboard made it ({said})") from error
    except (KeyError, TypeError) as error:
        raise UnreadableSpecError(
            f"its spec has no {run.arm!r} with the settings of the trial ({error})"
        ) from error
    return made.model_dump(mode="json")
