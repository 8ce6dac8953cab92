"""Values of the runs of a comparison, by metric, arm and seed; pairs of two arms' values.

A value may be censored: the real value is not known, only that it is more than this one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Measurement:
    """The value of one metric of one run."""

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
    return _grouped(
        [*_of_runs(chosen, found), *(pair for run in chosen for pair in _measured(run, known))]
    )


def final_measurements(
    session: Session,
    runs: Iterable[Run],
    keys: Sequence[str],
    figures: Mapping[str, Figures] | None = None,
) -> Measurements:
    """Return what those of these runs that have succeeded have measured.

    These are the last values of the held-out metrics `keys`, and all statistics of whole runs.
    """
    chosen = list(runs)
    known = figures_of(session, chosen) if figures is None else figures
    wanted = set(keys)
    found: list[tuple[str, Measurement]] = []
    for run in chosen:
        if run.id in known:
            found += _final(run, known[run.id], wanted)
            found += _statistics(run, known[run.id])
    return _grouped(found)


def untrained_measurements(
    session: Session, runs: Iterable[Run], figures: Mapping[str, Figures] | None = None
) -> Measurements:
    """Return every held-out metric of the untrained encoders."""
    chosen = list(runs)
    known = figures_of(session, chosen) if figures is None else figures
    others = [run.id for run in chosen if run.id not in known]
    found = results.untrained_values(session, runs=others, keys=EVALUATED)
    stored = (
        (key, Measurement(run, value, 0))
        for run in chosen
        if run.id in known
        for key, value in known[run.id].untrained.items()
    )
    return _grouped([*_of_runs(chosen, found), *stored])


def reference_measurements(
    session: Session, runs: Iterable[Run], figures: Mapping[str, Figures] | None = None
) -> Measurements:
    """Return the reference values that were reported with each run, by key with the prefix."""
    chosen = list(runs)
    known = figures_of(session, chosen) if figures is None else figures
    others = [run.id for run in chosen if run.id not in known]
    found = results.last_values(session, runs=others, keys=REFERENCES)
    stored = (
        (key, Measurement(run, value, 0))
        for run in chosen
        if run.id in known
        for key, value in known[run.id].references.items()
    )
    return _grouped([*_of_runs(chosen, found), *stored])


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


def _of_runs(runs: Iterable[Run], found: Iterable[Result]) -> list[tuple[str, Measurement]]:
    """Return (metric key, measurement) of those results that belong to these runs."""
    by_id = {run.id: run for run in runs}
    return [
        (result.key, Measurement(by_id[result.run], result.value, result.step))
        for result in found
        if result.run in by_id
    ]


def _measured(run: Run, known: Mapping[str, Figures]) -> Iterator[tuple[str, Measurement]]:
    figures = known.get(run.id)
    if figures is None:
        return
    for key, value in (*figures.last_epoch.items(), *figures.counts.items()):
        yield key, Measurement(run, value, run.step)
    yield from _final(run, figures, figures.final.keys())
    yield from _statistics(run, figures)


def _final(run: Run, figures: Figures, keys: Collection[str]) -> Iterator[tuple[str, Measurement]]:
    for key, (step, value) in figures.final.items():
        if key in keys:
            yield key, Measurement(run, value, step)


def _statistics(run: Run, figures: Figures) -> Iterator[tuple[str, Measurement]]:
    for key, one in figures.statistics.items():
        yield key, Measurement(run, one.value, run.total_steps, one.censored)


def _grouped(found: Iterable[tuple[str, Measurement]]) -> Measurements:
    grouped: Measurements = {}
    for key, one in sorted(found, key=lambda pair: (pair[1].run.position, pair[1].step)):
        grouped.setdefault(key, {}).setdefault(one.run.arm, []).append(one)
    return grouped
