"""States of a run that say whether it trains: which they are, since when, and when they are over.

Everything here is decided from values that are measured anyway. docs/METHOD.md ("Did it train?")
defines the states and gives the runs by which the bounds were chosen.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from contract.comparison.loss import (
    ArcFaceLoss,
    CenterContrastiveLoss,
    CosentLoss,
    InfoNceLoss,
    Loss,
    SupConLoss,
)
from contract.metrics import BACKBONE_PREFIX, METRICS, OBJECTIVE
from contract.metrics.states import SHRUNK, TRIVIAL_WITHIN, WORSE_BY, State

NO_TUPLE_STEPS: Final = 50
"""Steps without a valid tuple after which a run is said to have none; an epoch, if shorter."""
STEADY_STEPS: Final = 20
"""Steps for which the loss must have stayed at its trivial value: curves also pass by it."""
MEMORY: Final = 0.8
"""How much of the mean closeness of earlier steps stays at each step, against batches' noise."""


@dataclass(frozen=True)
class Bounds:
    """When a space counts as collapsed."""

    trivial: float
    """Largest distance of the loss from its trivial value, as a share of that."""
    shrunk: float
    """Least factor by which the spread has shrunk since the untrained network."""
    cosine: float
    """Least mean cosine, for losses without a trivial value."""
    rank: float
    """Largest effective rank as a share of the untrained network's, for the same losses."""


ENTER: Final = Bounds(trivial=TRIVIAL_WITHIN, shrunk=SHRUNK, cosine=0.99, rank=0.5)
LEAVE: Final = Bounds(trivial=0.02, shrunk=5.0, cosine=0.98, rank=0.6)
"""Bounds for a space that has collapsed, wider than those for one that collapses."""

COLLAPSE_ADVICE: Final = (
    "Lower the learning rate, start with semi-hard tuples, or take a larger batch."
)
_ANGULAR: Final = (InfoNceLoss, SupConLoss, ArcFaceLoss, CenterContrastiveLoss, CosentLoss)
_PLACES: Final = ("", "audio.", "visual.")
"""Prefixes of the geometry of all items together, and of each of two modalities."""
_COSINE: Final = "geometry.mean_cosine"
_LENGTH: Final = "geometry.mean_norm"
_RANK: Final = "geometry.effective_rank"
_GEOMETRY: Final = (_COSINE, _LENGTH, _RANK)


@dataclass(frozen=True)
class Notice:
    """A run got into a state, or out of it."""

    state: State
    step: int
    """Since when, as optimiser steps done; for one that is over, when it ended."""
    message: str
    over: bool = False

    @property
    def line(self) -> str:
        """The line of the run's log that says it."""
        name = self.state.replace("_", " ")
        return f"step {self.step}: {'no longer ' if self.over else ''}{name}. {self.message}"


def is_angular(loss: Loss, *, normalize: bool) -> bool:
    """Return whether only the directions of embeddings count for a loss, and not their lengths."""
    return normalize or isinstance(loss, _ANGULAR) or getattr(loss, "distance", "") == "cosine"


class TrainingStates:
    """The states of one run, fed with its values in order; part of its checkpoint.

    Overflow is not among them, because it ends the run: see `worker.trainer.divergence`.
    """

    def __init__(
        self,
        *,
        steps_per_epoch: int,
        angular: bool,
        references: Mapping[str, float],
        objective: str = OBJECTIVE,
    ) -> None:
        """Args:
        steps_per_epoch: optimiser steps of an epoch.
        angular: whether only directions of embeddings count, see `is_angular`.
        references: values of the raw backbone by metric key with its prefix, if there are any.
        objective: metric by which a training that makes things worse is known.
        """
        self._patience = min(steps_per_epoch, NO_TUPLE_STEPS)
        self._angular = angular
        self._objective, self._name = objective, METRICS[objective].label
        self._backbone = references.get(f"{BACKBONE_PREFIX}{objective}")
        self._untrained: dict[str, float] = {}
        self._current: dict[State, Notice] = {}
        self._closeness: float | None = None
        self._near_since: int | None = None
        self._apart_at = 0
        self._shrunk_at: int | None = None

    @property
    def current(self) -> list[Notice]:
        """The states that the run is in."""
        return list(self._current.values())

    def state_dict(self) -> dict[str, Any]:
        """Return all that later states depend on."""
        return {
            "untrained": self._untrained,
            "current": [asdict(notice) for notice in self.current],
            "closeness": self._closeness,
            "near since": self._near_since,
            "apart at": self._apart_at,
            "shrunk at": self._shrunk_at,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from these states."""
        self._untrained = dict(state["untrained"])
        self._current = {one["state"]: Notice(**one) for one in state["current"]}
        self._closeness, self._near_since = state["closeness"], state["near since"]
        self._apart_at, self._shrunk_at = state["apart at"], state["shrunk at"]

    def after_step(self, step: int, values: Mapping[str, float]) -> list[Notice]:
        """Take in the values of a step, with the counts of empty steps so far.

        Returns:
            What has changed.
        """
        self._follow_loss(step, values)
        if "dynamics.valid_tuples" not in values:  # a plug-in that does not tell its tuples
            return []
        if values["dynamics.valid_tuples"]:
            return self._leave("no_valid_tuple", step, "A batch held a valid tuple.")
        if values["dynamics.invalid_steps"] < step or step < self._patience:
            return []
        message = (
            f"None of the first {step} batches held a valid tuple of the loss, so there was "
            "nothing to learn. Take a larger batch, or several items of each class."
        )
        return self._enter("no_valid_tuple", step, message)

    def _follow_loss(self, step: int, values: Mapping[str, float]) -> None:
        trivial = values.get("dynamics.trivial_loss", math.nan)
        loss = values.get("dynamics.loss", math.nan)
        if not (math.isfinite(trivial) and math.isfinite(loss) and trivial > 0):
            return
        now = loss / trivial - 1
        before = now if self._closeness is None else self._closeness
        self._closeness = MEMORY * before + (1 - MEMORY) * now
        bounds = LEAVE if "collapsed" in self._current else ENTER
        if abs(self._closeness) > bounds.trivial:
            self._near_since = None
        elif self._near_since is None:
            self._near_since = step

    def after_evaluation(self, step: int, values: Mapping[str, float]) -> list[Notice]:
        """Take in the validation values of an evaluation; those of step 0 are the untrained
        network's.

        Returns:
            What has changed.
        """
        if step == 0:
            keys = (self._objective, *(f"{place}{key}" for place in _PLACES for key in _GEOMETRY))
            self._untrained = {key: values[key] for key in keys if key in values}
            return []
        return [
            *([] if "no_valid_tuple" in self._current else self._judge_collapse(step, values)),
            *self._judge_objective(
                "below_backbone", step, values, self._backbone, "the raw backbone's"
            ),
            *self._judge_objective(
                "below_untrained",
                step,
                values,
                self._untrained.get(self._objective),
                "the untrained network's",
            ),
        ]

    def _judge_collapse(self, step: int, values: Mapping[str, float]) -> list[Notice]:
        bounds = LEAVE if "collapsed" in self._current else ENTER
        measure = self._is_point if self._closeness is None else self._has_shrunk
        if not any(measure(place, values, bounds) for place in _PLACES):
            self._apart_at, self._shrunk_at = step, None
        elif self._shrunk_at is None:
            self._shrunk_at = step
        near, shrunk = self._near_since, self._shrunk_at
        if self._closeness is None:  # no trivial value: the geometry decides alone
            near = shrunk
        steady = near is not None and (self._closeness is None or step - near + 1 >= STEADY_STEPS)
        if shrunk is None:
            return self._leave("collapsed", step, "The embeddings have moved apart.")
        if near is None or not steady:
            return self._leave("collapsed", step, "The loss is no longer that of a single point.")
        began = near if near > self._apart_at else shrunk
        cosine = max(values.get(f"{place}{_COSINE}", -1.0) for place in _PLACES)
        loss = "" if self._closeness is None else "the loss is what it is for a single point, and "
        message = (
            f"The embeddings have collapsed since step {began}: {loss}the mean cosine of two "
            f"held-out items is {cosine:.4g}. {COLLAPSE_ADVICE}"
        )
        return self._enter("collapsed", began, message)

    def _has_shrunk(self, place: str, values: Mapping[str, float], bounds: Bounds) -> bool:
        """Return whether the spread of embeddings is a small part of what it was untrained."""
        before, now = (self._spread(place, of) for of in (self._untrained, values))
        return before is not None and now is not None and now * bounds.shrunk <= before

    def _spread(self, place: str, values: Mapping[str, float]) -> float | None:
        """Return half of the mean squared distance of two items, of their directions if only those
        count; None if it was not measured."""
        cosine = values.get(f"{place}{_COSINE}")
        length = 1.0 if self._angular else values.get(f"{place}{_LENGTH}")
        return None if cosine is None or length is None else (1 - cosine) * length**2

    def _is_point(self, place: str, values: Mapping[str, float], bounds: Bounds) -> bool:
        """Return whether the geometry alone shows a collapse, where a loss has no trivial value."""
        if f"{place}{_COSINE}" not in values or f"{place}{_RANK}" not in self._untrained:
            return False
        # No rank is measured where all embeddings coincide.
        rank = values.get(f"{place}{_RANK}", 0.0)
        return (
            values[f"{place}{_COSINE}"] >= bounds.cosine
            and self._has_shrunk(place, values, bounds)
            and rank <= bounds.rank * self._untrained[f"{place}{_RANK}"]
        )

    def _judge_objective(
        self,
        state: State,
        step: int,
        values: Mapping[str, float],
        reference: float | None,
        whose: str,
    ) -> list[Notice]:
        value = values.get(self._objective)
        if value is None or reference is None:
            return []
        if value >= reference:
            message = f"{self._name} on the validation split has reached {whose} {reference:.3f}."
            return self._leave(state, step, message)
        if reference - value <= WORSE_BY:  # it stays as it is, so that noise does not change it
            return []
        message = (
            f"{self._name} on the validation split is below {whose} {reference:.3f} since step "
            f"{step}; it was {value:.3f} there. Training has made these embeddings worse: lower "
            "the learning rate, or train for longer."
        )
        return self._enter(state, step, message)

    def _enter(self, state: State, step: int, message: str) -> list[Notice]:
        if state in self._current:
            return []
        self._current[state] = Notice(state, step, message)
        return [self._current[state]]

    def _leave(self, state: State, step: int, message: str) -> list[Notice]:
        if self._current.pop(state, None) is None:
            return []
        return [Notice(state, step, message, over=True)]
