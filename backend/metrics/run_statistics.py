"""Statistics of a whole run, computed from its series once the run has succeeded.

Each is one value a run, under one of the `summary_only` keys of contract.metrics: how fast the
loss fell, the share of active tuples early on, gradient norms.
"""

import statistics
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from cachetools import LRUCache
from sqlmodel import Session

from backend.db.models import Run
from backend.metrics import results
from backend.metrics.results import EpochSum

DECAYED_SHARE: Final = 0.1
"""Share of the initial loss at which it counts as decayed."""
HALVED_SHARE: Final = 0.5
"""Share of the initial loss that gives its half-life."""
LATE_SHARE: Final = 10
"""The late epochs are the last epochs / LATE_SHARE, rounded down, but at least one."""

_LOSS: Final = "dynamics.loss"
_ACTIVE: Final = "dynamics.active_ratio"
_NORM: Final = "dynamics.gradient_norm"
_PER_ACTIVE: Final = "dynamics.gradient_norm.per_active"
SOURCE_KEYS: Final = (_LOSS, _ACTIVE, _NORM, _PER_ACTIVE)
"""The keys of the series that the statistics are computed from, at all steps."""
_CACHED_RUNS: Final = 10_000
"""About a kilobyte each."""


@dataclass(frozen=True)
class Statistic:
    """One value of a run."""

    value: float
    censored: bool = False
    """The real value is unknown, and more than this one by at least 1."""


Statistics = Mapping[str, Statistic]
"""Metric key -> its value; a statistic that is not defined for a run is left out."""


# A run that has succeeded never changes again, and a retried one has another attempt, so what is
# cached is never wrong.
_cache: Final[LRUCache[tuple[str, int], Statistics]] = LRUCache(_CACHED_RUNS)
_cache_lock: Final = threading.Lock()


def statistics_by_run(session: Session, runs: Iterable[Run]) -> dict[str, Statistics]:
    """Return the statistics of those runs that have succeeded, by run."""
    succeeded = [run for run in runs if run.state == "succeeded"]
    with _cache_lock:
        known = {run.id: _cache.get((run.id, run.attempt)) for run in succeeded}
    new = [run for run in succeeded if known[run.id] is None]
    if new:
        sums = results.epoch_sums(session, runs=[run.id for run in new], keys=SOURCE_KEYS)
        by_run = {run: list(own) for run, own in groupby(sums, key=lambda found: found.run)}
        for run in new:
            known[run.id] = made = _compute(run, by_run.get(run.id, []))
            with _cache_lock:
                _cache[run.id, run.attempt] = made
    return {run: found for run, found in known.items() if found is not None}


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
    return statistics.fmean(known) / initial


def _compute(run: Run, sums: Iterable[EpochSum]) -> Statistics:
    if not run.steps_per_epoch:
        return {}
    curves: dict[str, dict[int, EpochSum]] = {key: {} for key in SOURCE_KEYS}
    for found in sums:
        curves[found.key][found.epoch] = found
    epochs = run.total_steps // run.steps_per_epoch
    trained = range(1, epochs + 1)
    untrained = _mean(curves[_LOSS], [0])
    losses = [_mean(curves[_LOSS], [epoch]) for epoch in trained]
    late = _mean(curves[_NORM], trained[-max(1, epochs // LATE_SHARE) :])
    early = _mean(curves[_NORM], [1])
    values: dict[str, float | Decay | None] = {
        "dynamics.loss_decay_epochs": loss_decay(untrained, losses, DECAYED_SHARE),
        "dynamics.half_life": loss_decay(untrained, losses, HALVED_SHARE),
        "dynamics.auc": loss_auc(untrained, losses),
        "dynamics.active_ratio.early": _mean(curves[_ACTIVE], [1]),
        "dynamics.gradient_norm.per_active.mean": _mean(curves[_PER_ACTIVE], trained),
        "dynamics.gradient_norm.late_share": None if late is None or not early else late / early,
    }
    return {key: _statistic(value) for key, value in values.items() if value is not None}


def _mean(curve: Mapping[int, EpochSum], epochs: Sequence[int]) -> float | None:
    """Return the mean over all steps of these epochs that have a value."""
    found = [curve[epoch] for epoch in epochs if epoch in curve]
    values = sum(epoch.values for epoch in found)
    return sum(epoch.total for epoch in found) / values if values else None


def _statistic(value: float | Decay) -> Statistic:
    if isinstance(value, Decay):
        return Statistic(float(value.epochs), value.censored)
    return Statistic(value)
