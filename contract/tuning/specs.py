"""The specs that trials and final runs are trained by: an arm with the settings of a trial put in.

A trainer gets them like any other spec and knows nothing of tuning.
"""

from collections.abc import Mapping
from typing import Any

from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import TrainingOverrides
from contract.comparison.tuning import Fold, TrialRun, Value
from contract.tuning.paths import OPTIMIZERS


def with_params(spec: ComparisonSpec, arm: Arm, params: Mapping[str, Value]) -> Arm:
    """Return an arm with the settings of a trial.

    Args:
        spec: of the comparison, with the training settings that its arms share.
        arm: of the spec.
        params: path of a setting -> its value; paths that contract.tuning.paths allows.

    Raises:
        pydantic.ValidationError: the settings do not fit together, such as a positive margin that
            is not below the margin.
    """
    shared = spec.training_of(arm).model_dump(include=set(TrainingOverrides.model_fields))
    given = arm.training.model_dump(exclude_none=True)
    nested = {"loss": arm.loss.model_dump(), "training": shared}
    for path, value in params.items():
        _put(nested, path, value)
    _keep_fields_of(nested["training"]["optimizer"])
    named = {path.split(".")[1] for path in params if path.startswith("training.")}
    overrides = {
        name: value for name, value in nested["training"].items() if name in named | given.keys()
    }
    return Arm.model_validate({"name": arm.name, "loss": nested["loss"], "training": overrides})


def trial_spec(
    spec: ComparisonSpec, arm: str, params: Mapping[str, Value], fold: int | None
) -> ComparisonSpec:
    """Return the spec of a trial's run: one arm, measured on validation data by the objective.

    Args:
        spec: of the comparison, which is tuned.
        arm: name of the arm.
        params: settings of the trial.
        fold: number of the fold, from 0; None where the tuning has only one.
    """
    tuning = spec.tuning
    assert tuning is not None, "only comparisons that are tuned have trials"
    part = None if fold is None else Fold(number=fold, of=tuning.folds)
    return spec.model_copy(
        update={
            "arms": [with_params(spec, spec.arm(arm), params)],
            "seeds": list(tuning.trial_seeds),
            "replicate": "seed",
            "tuning": None,
            "trial": TrialRun(objective=tuning.objective, fold=part),
        }
    )


def final_spec(
    spec: ComparisonSpec, arm: str, params: Mapping[str, Value], *, epochs: int | None = None
) -> ComparisonSpec:
    """Return the spec of the final runs of an arm: its best setting, the comparison's own seeds.

    Args:
        spec: of the comparison, which is tuned.
        arm: name of the arm.
        params: settings of its best trial.
        epochs: at which they stop, the median best epoch of the folds; None without folds.
    """
    best = with_params(spec, spec.arm(arm), params)
    update: dict[str, Any] = {}
    if epochs is None:
        update["tuning"] = None
    else:  # the tuning stays in, so that the trainer tests at the last epoch
        training = best.training.model_copy(update={"epochs": epochs})
        best = best.model_copy(update={"training": training})
        if hasattr(spec.data, "validation"):
            # All classes of the training half train; a fifth of the items of each draws curves.
            update["data"] = spec.data.model_copy(update={"validation": "items"})
    return spec.model_copy(update={**update, "arms": [best]})


def _put(settings: dict[str, Any], path: str, value: Value) -> None:
    *parents, last = path.split(".")
    for part in parents:
        settings = settings[part]
    settings[last] = value


def _keep_fields_of(optimizer: dict[str, Any]) -> None:
    """Leave out settings of the arm's own optimiser that the kind of a trial does not have."""
    for name in optimizer.keys() - OPTIMIZERS[optimizer["kind"]].model_fields.keys():
        del optimizer[name]
