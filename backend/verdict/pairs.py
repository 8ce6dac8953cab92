"""The values of two arms, paired by seed, and the samples that are judged.

Pure functions.
"""

import math
from collections.abc import Callable, Mapping

from backend.metrics.measurements import Observation, PairedValues, pair_by_seed
from backend.metrics.run_figures import Figures
from backend.metrics.run_statistics import EPOCHS_TO_COMMON, epochs_to_common
from contract.catalogue.claims import Expected
from contract.catalogue.practical import half_width
from contract.metrics import METRICS
from contract.statistics import Sample, limits_of_difference

BySeed = Mapping[int, Figures]
"""Seed -> figures of the run that has succeeded at it."""


def pair(key: str, a: BySeed, b: BySeed) -> PairedValues:
    """Return the values of one metric of two arms, paired by seed."""
    if key == EPOCHS_TO_COMMON:
        found = {
            seed: both
            for seed in a
            if seed in b and (both := epochs_to_common(a[seed].map_at_r, b[seed].map_at_r))
        }
        return pair_by_seed(
            {seed: Observation(first) for seed, (first, _) in found.items()},
            {seed: Observation(second) for seed, (_, second) in found.items()},
        )
    read = _statistic if METRICS[key].summary_only else _final
    return pair_by_seed(_observations(key, a, read), _observations(key, b, read))


def sample_of(
    key: str, paired: PairedValues, expected: Expected, practical: Mapping[str, float]
) -> Sample:
    """Return what is judged of a metric's pairs.

    Args:
        key: of the metric.
        paired: at least one pair.
        expected: how the first arm should compare with the second.
        practical: the spec's practical bounds.
    """
    metric = METRICS[key]
    log_ratios = _log_ratios(paired) if metric.scale == "ratio" else None
    # A metric that is compared by its ratio has a ratio as its bound: of no use without ratios.
    judgeable = log_ratios is not None or metric.scale == "difference"
    return Sample(
        differences=_differences(paired),
        log_ratios=log_ratios,
        signs_only=metric.grid or paired.censored > 0,
        limits=limits_of_difference(metric.bounds),
        half_width=half_width(key, practical) if judgeable else None,
        expected=expected,
        values=None if paired.censored else _values(paired),
    )


def _final(figures: Figures, key: str) -> Observation | None:
    _, value = figures.final.get(key, (0, None))
    return None if value is None else Observation(value)


def _statistic(figures: Figures, key: str) -> Observation | None:
    found = figures.statistics.get(key)
    return None if found is None else Observation(*found)


def _observations(
    key: str, figures: BySeed, read: Callable[[Figures, str], Observation | None]
) -> dict[int, Observation]:
    found = {seed: read(own, key) for seed, own in figures.items()}
    return {seed: value for seed, value in found.items() if value is not None}


def _differences(paired: PairedValues) -> tuple[float, ...]:
    """Return a - b of each pair; a censored value equal to the other is 1 more than it."""
    return tuple(
        (a.value - b.value) or float(a.censored - b.censored)
        for a, b in zip(paired.values_a, paired.values_b, strict=True)
    )


def _values(paired: PairedValues) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(one.value for one in paired.values_a), tuple(one.value for one in paired.values_b)


def _log_ratios(paired: PairedValues) -> tuple[float, ...] | None:
    """Return ln(a / b) of each pair; None if a value is not above 0, or censored."""
    values = [*paired.values_a, *paired.values_b]
    if paired.censored or any(one.value <= 0 for one in values):
        return None
    return tuple(
        math.log(a.value) - math.log(b.value)  # a / b may overflow
        for a, b in zip(paired.values_a, paired.values_b, strict=True)
    )
