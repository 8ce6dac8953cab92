"""Statistics of a whole run, computed from its series once the run has succeeded.

Each is one value a run, under one of the `summary_only` keys of contract.metrics: how fast the
loss fell, the share of active tuples early on, gradient norms, updates. The one key of two runs,
epochs to a common MAP@R, is the last function here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, NamedTuple

from sqlmodel import Session

from backend.db.models import Run
from backend.metrics import results
from backend.metrics.step_sums import NOTHING, Steps, Sum, step_sums

DECAYED_SHARE: Final = 0.1
"""Share of the initial loss at which it counts as decayed."""
HALVED_SHARE: Final = 0.5
"""Share of the initial loss that gives its half-life."""
LATE_SHARE: Final = 10
"""The late epochs are the last epochs / LATE_SHARE, rounded down, but at least one."""
COMMON_SHARE: Final = 0.95
"""Share of the smaller of two best MAP@R that is the level both are timed to."""
EPOCHS_TO_COMMON: Final = "retrieval.map_at_r.epochs_to_common"
"""Key of the only statistic that belongs to two runs, not to one."""

_LOSS: Final = "dynamics.loss"
_ACTIVE: Final = "dynamics.active_ratio"
_NORM: Final = "dynamics.gradient_norm"
_PER_ACTIVE: Final = "dynamics.gradient_norm.per_active"
_UPDATES: Final = "dynamics.update_norm"
_PULL: Final = "dynamics.pull_share"
_ANCHORS: Final = "dynamics.active_ratio.pushing_anchors"
_PUSHING: Final = tuple(f"{_ACTIVE}.{part}" for part in ("negative", "triplet", "softmax"))
"""The tuples that push, by what the loss has: the first counts."""
SOURCE_KEYS: Final = (_LOSS, _ACTIVE, _NORM, _PER_ACTIVE)
"""The keys whose series are kept whole, at all steps: the statistics of version 0.5 need them."""


class Statistic(NamedTuple):
    """One value of a run."""

    value: float
    censored: bool = False
    """The real value is unknown, and more than this one by at least 1."""


Statistics = dict[str, Statistic]
"""Metric key -> its value; a statistic that is not defined for a run is left out."""

Scores = Sequence[tuple[int, float]]
"""Epochs and the values that were measured after them, in order."""


@dataclass(frozen=True)
class Computed:
    """The statistics of a run."""

    statistics: Statistics
    lacking: frozenset[str]
    """Keys of those that cannot be known any more, because raw points were deleted."""


@dataclass(frozen=True)
class Decay:
    """The number of epochs after which the loss has fallen to a share of its initial value."""

    epochs: int
    """The first epoch whose mean is low enough; where censored, all epochs trained."""
    censored: bool = False
    """No epoch's mean was low enough: the real number is unknown and more than `epochs`."""


def loss_decay(initial: float | None, means: Sequence[float | None], share: float) -> Decay | None:
    """Return the first epoch with mean <= share * initial.

    Args:
        initial: the loss of the untrained network, from a full pass before the first step.
        means: of epochs 1, 2, ...; None, for an epoch in which no step had a loss, is skipped.
        share: of the initial value, as DECAYED_SHARE or HALVED_SHARE.

    Returns:
        None where it is not defined: without an initial value above 0, or without any mean.
    """
    if initial is None or initial <= 0 or all(mean is None for mean in means):
        return None
    for epoch, mean in enumerate(means, start=1):
        if mean is not None and mean <= share * initial:
            return Decay(epoch)
    return Decay(len(means), censored=True)


def loss_auc(initial: float | None, means: Sequence[float | None]) -> float | None:
    """Return the area under the normalised loss curve: the mean over epochs of mean / initial.

    The arguments and None mean the same as for loss_decay.
    """
    known = [mean for mean in means if mean is not None]
    if initial is None or initial <= 0 or not known:
        return None
    return fmean(known) / initial


def compute_statistics(session: Session, runs: Sequence[Run]) -> dict[str, Computed]:
    """Return the statistics of runs that have succeeded, by run."""
    ids = [run.id for run in runs]
    losses: dict[str, dict[int, Sum]] = {}
    for found in results.epoch_sums(session, runs=ids, keys=[_LOSS]):
        losses.setdefault(found.run, {})[found.epoch] = Sum(found.total, found.values)
    sums = step_sums(session, {run.id: _sources(run) for run in runs if run.steps_per_epoch})
    return {
        run.id: _compute(run, losses.get(run.id, {}), sums[run.id])
        if run.id in sums
        else Computed({}, frozenset())
        for run in runs
    }


def epochs_to_common(a: Scores, b: Scores) -> tuple[int, int] | None:
    """Return after how many epochs each of two runs reached a MAP@R that both reach.

    That level is 95 % of the smaller of their best values, so each run reaches it, at its best
    epoch at the latest: neither number is ever censored. It counts the epochs that were evaluated,
    with the untrained network as epoch 0.

    Args:
        a: validation MAP@R of one run.
        b: of the other, of the same seed.

    Returns:
        The epochs of a and of b; None if one of them has no value after epoch 0.
    """
    best = [[value for epoch, value in scores if epoch > 0] for scores in (a, b)]
    if not all(best):
        return None
    level = COMMON_SHARE * min(map(max, best))
    first = [next(epoch for epoch, value in scores if value >= level) for scores in (a, b)]
    return first[0], first[1]


class _LackingError(Exception):
    """A sum cannot be known any more."""


class _Sums:
    """The sums of one run that its statistics are computed from."""

    def __init__(self, run: Run, found: Mapping[Steps, Sum | None]) -> None:
        self._run = run
        self._found = found

    def of(self, steps: Steps) -> Sum:
        """Return a sum.

        Raises:
            _LackingError: it cannot be known.
        """
        found = self._found[steps]
        if found is None:
            raise _LackingError
        return found

    def early(self, key: str) -> float | None:
        return self.of(_early(key, self._run)).mean

    def whole(self, key: str) -> float | None:
        return self.of(Steps(key, 1)).mean

    def early_pushing(self) -> float | None:
        for key in _PUSHING:
            mean = self.early(key)
            if mean is not None:
                return mean
        return None

    def late_norm(self) -> float | None:
        early, late = self.early(_NORM), self.of(_late(self._run)).mean
        return None if late is None or not early else late / early

    def late_updates(self) -> float | None:
        whole, late = self.of(Steps(_UPDATES, 1)), self.of(_second_half(self._run))
        return late.total / whole.total if whole.total else None


_OF_SUMS: Final[Mapping[str, Callable[[_Sums], float | None]]] = {
    "dynamics.active_ratio.early": lambda sums: sums.early(_ACTIVE),
    "dynamics.active_ratio.pushing.early": _Sums.early_pushing,
    "dynamics.active_ratio.pushing_anchors.early": lambda sums: sums.early(_ANCHORS),
    "dynamics.update_norm.mean": lambda sums: sums.whole(_UPDATES),
    "dynamics.update_norm.late_share": _Sums.late_updates,
    "dynamics.pull_share.mean": lambda sums: sums.whole(_PULL),
    "dynamics.gradient_norm.per_active.mean": lambda sums: sums.whole(_PER_ACTIVE),
    "dynamics.gradient_norm.late_share": _Sums.late_norm,
}


def _early(key: str, run: Run) -> Steps:
    return Steps(key, 1, run.steps_per_epoch + 1)


def _late(run: Run) -> Steps:
    epochs = run.total_steps // run.steps_per_epoch
    return Steps(_NORM, (epochs - max(1, epochs // LATE_SHARE)) * run.steps_per_epoch + 1)


def _second_half(run: Run) -> Steps:
    return Steps(_UPDATES, run.total_steps // 2 + 1)


def _sources(run: Run) -> list[Steps]:
    """Return the ranges of steps that the statistics are computed from, besides all of the loss."""
    return [
        *(_early(key, run) for key in (_ACTIVE, *_PUSHING, _ANCHORS, _NORM)),
        *(Steps(key, 1) for key in (_PER_ACTIVE, _UPDATES, _PULL)),
        _late(run),
        _second_half(run),
    ]


def _compute(run: Run, losses: Mapping[int, Sum], found: Mapping[Steps, Sum | None]) -> Computed:
    epochs = range(1, run.total_steps // run.steps_per_epoch + 1)
    untrained = losses.get(0, NOTHING).mean
    means = [losses.get(epoch, NOTHING).mean for epoch in epochs]
    decays = {
        "dynamics.loss_decay_epochs": loss_decay(untrained, means, DECAYED_SHARE),
        "dynamics.half_life": loss_decay(untrained, means, HALVED_SHARE),
    }
    values = {"dynamics.auc": loss_auc(untrained, means)}
    sums, lacking = _Sums(run, found), set()
    for key, rule in _OF_SUMS.items():
        try:
            values[key] = rule(sums)
        except _LackingError:
            lacking.add(key)
    statistics = {
        key: Statistic(float(one.epochs), one.censored) for key, one in decays.items() if one
    }
    for key, value in values.items():
        if value is not None and math.isfinite(value):
            statistics[key] = Statistic(value)
    return Computed(statistics, frozenset(lacking))
