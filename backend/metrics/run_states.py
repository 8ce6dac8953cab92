"""States of runs of version 0.5, whose workers told none: decided from what they have stored.

Less is known of them than a worker sees: whether a space has collapsed is decided for the triplet
loss only, whose value for a single point follows from its settings.
"""

from collections.abc import Mapping
from typing import Any, Final

from backend.db.models import Run
from backend.metrics.run_figures import Figures
from contract.metrics import BACKBONE_PREFIX, OBJECTIVE
from contract.metrics.states import SHRUNK, TRIVIAL_WITHIN, WORSE_BY, State

_INTRA: Final = "geometry.intra_class_variance.scale_free"
_INTER: Final = "geometry.inter_class_variance.scale_free"
_NORM: Final = "geometry.mean_norm"

RunState = dict[str, Any]
"""As stored with a run: state, step, message."""


def earlier_states(run: Run, figures: Figures, spec: Mapping[str, Any]) -> list[RunState]:
    """Return the states of a run that has succeeded and was told none.

    Args:
        run: the run.
        figures: of the run.
        spec: of its comparison, as stored; of any version.
    """
    invalid = figures.counts.get("dynamics.invalid_steps")
    if invalid is not None and 0 < run.step <= invalid:
        message = "No batch held a valid tuple of the loss, so there was nothing to learn."
        return [_state("no_valid_tuple", run.steps_per_epoch, message)]
    found = []
    if _has_collapsed(run, figures, spec):
        message = (
            "The embeddings have collapsed: in the last epoch the loss is what it is for a single "
            "point, and the held-out embeddings have hardly any spread. Lower the learning rate, "
            "start with semi-hard tuples, or take a larger batch."
        )
        found.append(_state("collapsed", run.step, message))
    references: tuple[tuple[State, float | None, str], ...] = (
        ("below_backbone", figures.references.get(BACKBONE_PREFIX + OBJECTIVE), "raw backbone"),
        ("below_untrained", figures.untrained.get(OBJECTIVE), "untrained network"),
    )
    for state, reference, whose in references:
        epoch = None if reference is None else _below_since(figures, reference)
        if reference is not None and epoch is not None:
            step = epoch * run.steps_per_epoch
            message = (
                f"MAP@R on the validation split is below the {whose}'s {reference:.3f} since step "
                f"{step}. Training has made these embeddings worse."
            )
            found.append(_state(state, step, message))
    return found


def _state(state: State, step: int, message: str) -> RunState:
    return {"state": state, "step": step, "message": message}


def _below_since(figures: Figures, reference: float) -> int | None:
    """Return the first epoch since which MAP@R has been below a reference until the end."""
    since = None
    for epoch, value in figures.map_at_r:
        if value >= reference:
            since = None
        elif epoch and since is None and reference - value > WORSE_BY:
            since = epoch
    return since


def _has_collapsed(run: Run, figures: Figures, spec: Mapping[str, Any]) -> bool:
    loss: Mapping[str, Any] = next(
        (arm["loss"] for arm in spec["arms"] if arm["name"] == run.arm), {}
    )
    if loss.get("kind") != "triplet":
        return False
    margin, seen = loss.get("margin", 1.0), figures.last_epoch.get("dynamics.loss")
    if seen is None or not margin or abs(seen / margin - 1) > TRIVIAL_WITHIN:
        return False
    angular = spec["encoder"].get("normalize", True) or loss.get("distance") == "cosine"
    before = _spread(figures.untrained, angular=angular)
    now = _spread({key: value for key, (_, value) in figures.final.items()}, angular=angular)
    return before is not None and now is not None and now * SHRUNK <= before


def _spread(values: Mapping[str, float | None], *, angular: bool) -> float | None:
    """Return the spread of held-out embeddings around their mean, if it was measured."""
    intra, inter, norm = (values.get(key) for key in (_INTRA, _INTER, _NORM))
    if intra is None or inter is None or norm is None:
        return None
    return (intra + inter / 2) * (1.0 if angular else norm**2)
