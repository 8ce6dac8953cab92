"""What a run's curves add up to: one value a run, known once it has succeeded.

These are the `summary_only` keys of contract.metrics.

How fast a loss falls; pure functions of its initial value and its mean in each epoch.

The initial value is the untrained network's, from a full pass before the first step. An epoch
without a mean (None) had no step with a loss; it is passed over.
"""

import statistics
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlmodel import Session

from backend.db.models import Run
from backend.metrics import results
from backend.metrics.results import EpochSum

DECAYED: Final = 0.1
"""Share of the initial loss at which it counts as decayed."""
HALVED: Final = 0.5


@dataclass(frozen=True)
class Decay:
    """After how many epochs the loss has fallen to a share of its initial value."""

    epochs: int
    """The first epoch whose mean is low enough; where censored, the epochs trained."""
    censored: bool = False
    """No epoch's was: the number is more than `epochs`, and nobody knows which."""


def decay(initial: float | None, means: Sequence[float | None], share: float) -> Decay | None:
    """The first epoch with mean <= share * initial.

    Args:
        initial: the loss of the untrained network.
        means: of epochs 1, 2, ...
        share: of the initial value, as DECAYED or HALVED.

    Returns:
        None where it is not defined: no initial value, none above 0, or no epoch.
    """
    if initial is None or initial <= 0 or all(mean is None for mean in means):
        return None
    for epoch, mean in enumerate(means, start=1):
        if mean is not None and mean <= share * initial:
            return Decay(epoch)
    return Decay(len(means), censored=True)


def auc(initial: float | None, means: Sequence[float | None]) -> float | None:
    """Area under the normalised loss curve: the mean over epochs of mean / initial.

    Returns:
        None where it is not defined, as for decay.
    """
    known = [mean for mean in means if mean is not None]
    if initial is None or initial <= 0 or not known:
        return None
    return statistics.fmean(known) / initial


LATE_SHARE: Final = 10
"""The last epochs / LATE_SHARE, rounded down but at least one, are the late ones."""

_LOSS: Final = "dynamics.loss"
_ACTIVE: Final = "dynamics.active_ratio"
_NORM: Final = "dynamics.gradient_norm"
_PER_ACTIVE: Final = "dynamics.gradient_norm.per_active"
SERIES: Final = (_LOSS, _ACTIVE, _NORM, _PER_ACTIVE)
"""The keys whose values, of all steps, they are made of."""
_REMEMBERED: Final = 10_000
"""Runs; about a kilobyte each."""


@dataclass(frozen=True)
class Trait:
    """One value of a run."""

    value: float
    censored: bool = False
    """The real value is more than this, by at least 1."""


Traits = Mapping[str, Trait]
"""By metric key; what is not defined for a run is left out."""


class _Memory:
    """The traits of runs that are over; the runs asked for longest ago are forgotten.

    A run that has succeeded never changes again, and a retried one has another attempt, so what
    is remembered is never wrong.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int], Traits] = OrderedDict()

    def get(self, run: Run) -> Traits | None:
        """A run's traits, if remembered."""
        with self._lock:
            found = self._known.get((run.id, run.attempt))
            if found is not None:
                self._known.move_to_end((run.id, run.attempt))
            return found

    def keep(self, run: Run, traits: Traits) -> None:
        """Remember a run's traits."""
        with self._lock:
            self._known[run.id, run.attempt] = traits
            while len(self._known) > self._most:
                self._known.popitem(last=False)


_memory: Final = _Memory(_REMEMBERED)


def traits(session: Session, runs: Iterable[Run]) -> dict[str, Traits]:
    """The traits of those runs that have succeeded, by run."""
    succeeded = [run for run in runs if run.state == "succeeded"]
    known = {run.id: _memory.get(run) for run in succeeded}
    new = [run for run in succeeded if known[run.id] is None]
    if new:
        sums = results.epoch_sums(session, runs=[run.id for run in new], keys=SERIES)
        by_run = {run: list(own) for run, own in groupby(sums, key=lambda found: found.run)}
        for run in new:
            known[run.id] = made = _traits(run, by_run.get(run.id, []))
            _memory.keep(run, made)
    return {run: found for run, found in known.items() if found is not None}


def _traits(run: Run, sums: Iterable[EpochSum]) -> Traits:
    if not run.steps_per_epoch:
        return {}
    curves: dict[str, dict[int, EpochSum]] = {key: {} for key in SERIES}
    for found in sums:
        curves[found.key][found.epoch] = found
    epochs = run.total_steps // run.steps_per_epoch
    trained = range(1, epochs + 1)
    untrained = _mean(curves[_LOSS], [0])
    losses = [_mean(curves[_LOSS], [epoch]) for epoch in trained]
    late = _mean(curves[_NORM], trained[-max(1, epochs // LATE_SHARE) :])
    early = _mean(curves[_NORM], [1])
    values: dict[str, float | Decay | None] = {
        "dynamics.loss_decay_epochs": decay(untrained, losses, DECAYED),
        "dynamics.half_life": decay(untrained, losses, HALVED),
        "dynamics.auc": auc(untrained, losses),
        "dynamics.active_ratio.early": _mean(curves[_ACTIVE], [1]),
        "dynamics.gradient_norm.per_active.mean": _mean(curves[_PER_ACTIVE], trained),
        "dynamics.gradient_norm.late_share": None if late is None or not early else late / early,
    }
    return {key: _trait(value) for key, value in values.items() if value is not None}


def _mean(curve: Mapping[int, EpochSum], epochs: Sequence[int]) -> float | None:
    """Over all steps of these epochs that have a value."""
    found = [curve[epoch] for epoch in epochs if epoch in curve]
    values = sum(epoch.values for epoch in found)
    return sum(epoch.total for epoch in found) / values if values else None


def _trait(value: float | Decay) -> Trait:
    if isinstance(value, Decay):
        return Trait(float(value.epochs), value.censored)
    return Trait(value)
