"""Values of the runs of a comparison, by metric, arm and seed; pairs of two arms' values.

A value may be censored: the real value is not known, only that it is more than this one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import NamedTuple

from sqlmodel import Session

from backend.db.models import Run
from backend.metrics import results
from backend.metrics.keys import EPOCH_MEANS, EVALUATED, REFERENCES, RUNNING_COUNTS
from backend.metrics.results import Result
from backend.metrics.run_figures import Figures, figures_of
from contract.metrics import TEST_LAST_PREFIX, TEST_PREFIX, bare_key
from contract.statistics import PairedDifference, compare


class Measurement(NamedTuple):
    """The value of one metric of one run. A summary has tens of thousands of them."""

    run: Run
    value: float | None
    """None where it was not finite."""
    step: int
    censored: bool = False


Measurements = dict[str, dict[str, list[Measurement]]]
"""Metric key -> arm -> its runs' values, in the order of their seeds."""


class Observation(NamedTuple):
    """A value; where censored, an integer, and the real value is more than it."""

    value: float
    censored: bool = False


@dataclass(frozen=True)
class PairedValues:
    """Two arms' values, paired by seed."""

    difference: PairedDifference | None
    """None if no pair is left. Without interval and effect size if a value is censored, since the
    difference was then computed from a bound."""
    values_a: list[Observation]
    """Of the pairs that are left, in the order of the first arm's seeds."""
    values_b: list[Observation]
    censored: int = 0
    """Pairs with a censored value, including dropped pairs."""
    dropped: int = 0
    """Pairs left out because it is unknown which of their two values is greater."""


def current_measurements(
    session: Session, runs: Iterable[Run], figures: Mapping[str, Figures] | None = None
) -> Measurements:
    """Return what these runs have measured until now.

    These are the last value of every held-out metric, the mean of the dynamics over the last epoch,
    and the statistics of whole runs.

    Args:
        session: a transaction.
        runs: of one comparison.
        figures: of those that have succeeded, where they are known; None to read them.
    """
    chosen = list(runs)
    known = figures_of(session, chosen) if figures is None else figures
    others = [run.id for run in chosen if run.id not in known]
    found = [
        *results.last_epoch_means(session, runs=others, keys=EPOCH_MEANS),
        *results.last_values(session, runs=others, keys=(*RUNNING_COUNTS, *EVALUATED)),
    ]
    return _grouped(chosen, found, known, _measured)


def untrained_measurements(
    session: Session, runs: Iterable[Run], figures: Mapping[str, Figures] | None = None
) -> Measurements:
    """Return every held-out metric of the untrained encoders."""
    chosen = list(runs)
    known = figures_of(session, chosen) if figures is None else figures
    others = [run.id for run in chosen if run.id not in known]
    found = results.untrained_values(session, runs=others, keys=EVALUATED)
    return _grouped(chosen, found, known, lambda run, own: _at_start(run, own.untrained))


def reference_measurements(
    session: Session, runs: Iterable[Run], figures: Mapping[str, Figures] | None = None
) -> Measurements:
    """Return the reference values that were reported with each run, by key with the prefix."""
    chosen = list(runs)
    known = figures_of(session, chosen) if figures is None else figures
    others = [run.id for run in chosen if run.id not in known]
    found = results.last_values(session, runs=others, keys=REFERENCES)
    return _grouped(chosen, found, known, lambda run, own: _at_start(run, own.references))


def reference_values(measured: Measurements, prefix: str) -> dict[str, float]:
    """Return the reference value of each held-out metric, as the value of a random ranking.

    It is the mean over runs of what was reported under the metric's key with this prefix. It
    differs between runs only where their data differ. The test split's holds for every epoch.

    Args:
        measured: as `reference_measurements` returns them.
        prefix: of the reference.
    """
    means: dict[str, float] = {}
    for key, by_arm in measured.items():
        values = [one.value for own in by_arm.values() for one in own if one.value is not None]
        if values and key.startswith(prefix):
            means[key.removeprefix(prefix)] = fmean(values)
    return means | {
        f"{TEST_LAST_PREFIX}{bare_key(key)}": value
        for key, value in means.items()
        if key.startswith(TEST_PREFIX)
    }


def observations_by_seed(measurements: Iterable[Measurement]) -> dict[int, Observation]:
    """Return the finite values of runs that have succeeded, by seed.

    Other runs cannot be paired: two that are still running have reached different steps.
    """
    return {
        one.run.seed: Observation(one.value, one.censored)
        for one in measurements
        if one.value is not None and one.run.state == "succeeded"
    }


def pair_by_seed(a: Mapping[int, Observation], b: Mapping[int, Observation]) -> PairedValues:
    """Pair two arms' values by seed.

    Where one value of a pair is censored and its bound is not below the other value, the sign of
    their difference is known, and the bound is used as the value. If the two are equal, the
    censored one is taken as 1 more, the least it can be. A pair whose sign is unknown is dropped:
    both are censored, or the bound lies below the other value, as that arm was trained for less.
    """
    both = [(a[seed], b[seed]) for seed in a if seed in b]
    kept = [values for values in both if _sign_is_known(*values)]
    censored = sum(x.censored or y.censored for x, y in both)
    difference = _difference(kept)
    if difference and censored:
        difference = replace(difference, interval=None, effect_size=None)
    return PairedValues(
        difference,
        [x for x, _ in kept],
        [y for _, y in kept],
        censored,
        dropped=len(both) - len(kept),
    )


def _sign_is_known(a: Observation, b: Observation) -> bool:
    if a.censored and b.censored:
        return False
    if a.censored:
        return a.value >= b.value
    return not b.censored or b.value >= a.value


def _difference(pairs: list[tuple[Observation, Observation]]) -> PairedDifference | None:
    if not pairs:
        return None
    ties = [a.value == b.value for a, b in pairs]
    return compare(
        [a.value + (tie and a.censored) for (a, _), tie in zip(pairs, ties, strict=True)],
        [b.value + (tie and b.censored) for (_, b), tie in zip(pairs, ties, strict=True)],
    )


Keyed = Iterator[tuple[str, Measurement]]
"""Metric keys with a run's values."""


def _measured(run: Run, figures: Figures) -> Keyed:
    for key, value in (*figures.last_epoch.items(), *figures.counts.items()):
        yield key, Measurement(run, value, run.step)
    for key, (step, value) in figures.final.items():
        yield key, Measurement(run, value, step)
    for key, one in figures.statistics.items():
        yield key, Measurement(run, one.value, run.total_steps, one.censored)


def _at_start(run: Run, values: Mapping[str, float | None]) -> Keyed:
    for key, value in values.items():
        yield key, Measurement(run, value, 0)


def _grouped(
    runs: Iterable[Run],
    found: Iterable[Result],
    figures: Mapping[str, Figures],
    stored: Callable[[Run, Figures], Keyed],
) -> Measurements:
    """Group the values of runs by metric and arm, in the order of the runs' places.

    Args:
        runs: whose values are grouped.
        found: values of those of them that have no figures.
        figures: of the others.
        stored: returns a run's values by its figures.
    """
    read: dict[str, list[Result]] = {}
    for result in found:
        read.setdefault(result.run, []).append(result)
    grouped: Measurements = {}
    for run in sorted(runs, key=lambda run: run.position):
        arm = run.arm
        values = (
            stored(run, figures[run.id])
            if run.id in figures
            else ((one.key, Measurement(run, one.value, one.step)) for one in read.get(run.id, ()))
        )
        for key, value in values:
            grouped.setdefault(key, {}).setdefault(arm, []).append(value)
    return grouped
