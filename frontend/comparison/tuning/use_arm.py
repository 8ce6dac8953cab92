"""A spec whose arms have the settings of trials written in, to go on without a search."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from frontend.api.types import Tuning
from frontend.comparison.tuning.texts import Catalogue, trial_at

Spec = Mapping[str, Any]

_OPTIMIZER: Final = "optimizer"


def spec_with_trial(
    spec: Spec, found: Tuning, catalogue: Catalogue, *, arm: str = "", trial: int | None = None
) -> dict[str, Any]:
    """Return a comparison's spec without its search, each arm with its best settings.

    Args:
        spec: of the comparison that is tuned.
        found: its search.
        catalogue: the API's catalogue.
        arm: name of an arm that gets the settings of another trial.
        trial: number of that trial.

    Raises:
        KeyError: there is no such arm or trial.
    """
    searches = {one["name"]: one for one in found["arms"]}
    if trial is not None and trial_at(searches[arm], trial) is None:
        raise KeyError(trial)
    arms = []
    for own in spec["arms"]:
        search = searches.get(own["name"])
        number = trial if own["name"] == arm and trial is not None else search and search["best"]
        chosen = trial_at(search, number) if search else None
        arms.append(arm_with_params(spec, own, chosen["params"] if chosen else {}, catalogue))
    kept = {key: value for key, value in spec.items() if key not in {"tuning", "trial"}}
    return {**kept, "arms": arms}


def arm_with_params(
    spec: Spec, arm: Spec, params: Mapping[str, Any], catalogue: Catalogue
) -> dict[str, Any]:
    """Return an arm with the settings of a trial, and without its space.

    Args:
        spec: of the comparison, with the training settings that its arms share.
        arm: of the spec.
        params: path of a setting -> its value.
        catalogue: the API's catalogue.
    """
    given = {key: value for key, value in (arm.get("training") or {}).items() if value is not None}
    nested = {"loss": deepcopy(arm["loss"]), "training": deepcopy({**spec["training"], **given})}
    changed = set(given)
    for path, value in params.items():
        *parents, last = path.split(".")
        section: Any = nested
        for part in parents:
            section = section[part]
        section[last] = value
        if parents[0] == "training":
            changed.add([*parents, last][1])
    if _OPTIMIZER in changed:
        nested["training"][_OPTIMIZER] = _known(nested["training"][_OPTIMIZER], catalogue)
    training = {key: value for key, value in nested["training"].items() if key in changed}
    return {"name": arm["name"], "loss": nested["loss"], "training": training}


def _known(optimizer: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """Return the settings of an optimiser that its kind has; a trial may have another kind than the
    arm as it is written."""
    rows = (row for row in catalogue["optimizers"] if row["kind"] == optimizer["kind"])
    row = next(rows, None)
    names = set(optimizer) if row is None else set(row["schema"]["properties"])
    return {name: value for name, value in optimizer.items() if name in names}
