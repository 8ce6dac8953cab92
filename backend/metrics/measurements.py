"""What the runs of a comparison measured, by metric, arm and seed.

Two arms' values, paired by seed, where some may be known only to be more than a bound.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final, NamedTuple

from sqlmodel import Session

from backend.db.models import Run
from backend.metrics import results
from backend.metrics.results import Result
from backend.metrics.run_statistics import traits
from contract.metrics import METRICS
from contract.statistics import PairedDifference, compare


class Known(NamedTuple):
    """A value; where censored, a whole number that the real value exceeds."""

    value: float
    censored: bool = False


@dataclass(frozen=True)
class Paired:
    """What the pairs of two arms say."""

    difference: PairedDifference | None
    """None if no pair is left. Without interval and effect size where a value is censored: its
    bound took its place."""
    values_a: list[Known]
    """Of the pairs that are left, in the order of the first arm's seeds."""
    values_b: list[Known]
    censored: int = 0
    """Pairs with a censored value, dropped ones among them."""
    dropped: int = 0
    """Pairs that say nothing: nobody knows which of the two is more."""


def pair(a: Mapping[int, Known], b: Mapping[int, Known]) -> Paired:
    """Pair two arms' values by seed.

    Where one of a pair is censored and its bound is not below the other value, the sign of their
    difference is known, and the bound stands for the value; where the two are equal the censored
    one is taken as 1 more, the least it can be. A pair whose sign is not known is dropped: both
    are censored, or the bound lies below the other value, since that arm was trained for less.
    """
    both = [(a[seed], b[seed]) for seed in a if seed in b]
    kept = [values for values in both if _sign_is_known(*values)]
    censored = sum(x.censored or y.censored for x, y in both)
    difference = _difference(kept)
    if difference and censored:
        difference = replace(difference, interval=None, effect_size=None)
    return Paired(
        difference,
        [x for x, _ in kept],
        [y for _, y in kept],
        censored,
        dropped=len(both) - len(kept),
    )


def _sign_is_known(a: Known, b: Known) -> bool:
    if a.censored and b.censored:
        return False
    if a.censored:
        return a.value >= b.value
    return not b.censored or b.value >= a.value


def _difference(pairs: list[tuple[Known, Known]]) -> PairedDifference | None:
    if not pairs:
        return None
    ties = [a.value == b.value for a, b in pairs]
    return compare(
        [a.value + (tie and a.censored) for (a, _), tie in zip(pairs, ties, strict=True)],
        [b.value + (tie and b.censored) for (_, b), tie in zip(pairs, ties, strict=True)],
    )


EPOCH_MEANS: Final = (
    "dynamics.loss",
    "dynamics.active_ratio",
    "dynamics.gradient_norm",
    "dynamics.gradient_norm.per_active",
)
"""Too noisy for a last value: the last epoch's mean stands for them."""

COUNTS: Final = ("dynamics.empty_steps", "dynamics.invalid_steps")
"""Counted up from the first step: the last value is the whole run's."""

EVALUATED: Final = tuple(
    key for key, metric in METRICS.items() if not metric.per_step and not metric.summary_only
)


@dataclass(frozen=True)
class Measured:
    """One metric of one run."""

    run: Run
    value: float | None
    """None where it was not finite."""
    step: int
    censored: bool = False


Measures = dict[str, dict[str, list[Measured]]]
"""Metric key -> arm -> its runs' values, in the order of their seeds."""


def so_far(session: Session, comparison: str, runs: Iterable[Run]) -> Measures:
    """Each run's last value of every held-out metric, its last epoch's mean dynamics, and what its
    curves add up to."""
    own = list(runs)
    found = [
        *results.last_epoch_means(session, comparison=comparison, keys=EPOCH_MEANS),
        *results.last_values(session, comparison=comparison, keys=(*COUNTS, *EVALUATED)),
    ]
    return _sorted([*_of(own, found), *_traits(session, own)])


def at_the_end(
    session: Session, comparison: str, runs: Iterable[Run], keys: Sequence[str]
) -> Measures:
    """The values of runs that have succeeded, of these held-out metrics and of all traits."""
    own = [run for run in runs if run.state == "succeeded"]
    found = results.last_values(session, comparison=comparison, keys=keys)
    return _sorted([*_of(own, found), *_traits(session, own)])


def untrained(session: Session, comparison: str, runs: Iterable[Run]) -> Measures:
    """Every held-out metric of the untrained encoders."""
    found = results.untrained_values(session, comparison=comparison, keys=EVALUATED)
    return _sorted(_of(runs, found))


def references(session: Session, comparison: str, prefix: str) -> dict[str, float]:
    """What held-out metrics are held against: the mean over runs of what was reported under the
    key with this prefix. Runs differ in it only where their data do."""
    keys = [f"{prefix}{key}" for key in EVALUATED]
    found: dict[str, list[float]] = {}
    for result in results.last_values(session, comparison=comparison, keys=keys):
        if result.value is not None:
            found.setdefault(result.key.removeprefix(prefix), []).append(result.value)
    return {key: fmean(values) for key, values in found.items()}


def by_seed(measured: Iterable[Measured]) -> dict[int, Known]:
    """The finite values of runs that have succeeded: only those can be paired, for two that are
    still on their way stand at different steps."""
    return {
        one.run.seed: Known(one.value, one.censored)
        for one in measured
        if one.value is not None and one.run.state == "succeeded"
    }


def _of(runs: Iterable[Run], found: Iterable[Result]) -> list[tuple[str, Measured]]:
    """What was found for these runs."""
    own = {run.id: run for run in runs}
    return [
        (result.key, Measured(own[result.run], result.value, result.step))
        for result in found
        if result.run in own
    ]


def _traits(session: Session, runs: Sequence[Run]) -> list[tuple[str, Measured]]:
    own = {run.id: run for run in runs}
    return [
        (key, Measured(own[run], trait.value, own[run].total_steps, trait.censored))
        for run, found in traits(session, runs).items()
        for key, trait in found.items()
    ]


def _sorted(measured: Iterable[tuple[str, Measured]]) -> Measures:
    found: Measures = {}
    for key, one in sorted(measured, key=lambda pair: (pair[1].run.position, pair[1].step)):
        found.setdefault(key, {}).setdefault(one.run.arm, []).append(one)
    return found
