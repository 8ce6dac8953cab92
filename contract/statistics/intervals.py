"""Intervals of means by Student's t, and how many more replicates would narrow them.

Replicates that share their data, such as re-splits of one data set, are not independent. With
`test_to_train`, the test items of a split for each of its training items, the variance of their
mean is taken as sd^2 (1/n + test_to_train) instead of sd^2 / n (Nadeau & Bengio 2003, "Inference
for the Generalization Error"). 0 stands for independent replicates.
"""

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from scipy.special import ndtri, stdtr, stdtrit

ALPHA: Final = 0.05
"""The error that a family of intervals or decisions may have."""

FEWEST: Final = 3
"""Replicates below which no interval is given, and nothing is decided."""

Limits = tuple[float | None, float | None]
"""Smallest and largest value that can be; None for none."""


def deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation of a sample (n - 1); None for fewer than two values."""
    return _deviation(tuple(values)) if len(values) > 1 else None


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean by Student's t; None for fewer than two values."""
    return mean_interval(values)


def bounded_interval(
    values: Sequence[float],
    bounds: Limits = (None, None),
    *,
    family: int = 1,
    test_to_train: float = 0.0,
) -> tuple[float, float] | None:
    """Return the interval of the mean to show: cut at the bounds, None for fewer than 3 values.

    Args:
        values: one for each replicate.
        bounds: smallest and largest value that the mean can have.
        family: number of intervals that are to hold together with 95 % (Bonferroni).
        test_to_train: of dependent splits, see the module.
    """
    if len(values) < FEWEST:
        return None
    return within(mean_interval(values, family=family, test_to_train=test_to_train), bounds)


def within(found: tuple[float, float] | None, bounds: Limits) -> tuple[float, float] | None:
    """Return an interval cut at the smallest and largest value that can be."""
    if found is None:
        return None
    smallest = -math.inf if bounds[0] is None else bounds[0]
    largest = math.inf if bounds[1] is None else bounds[1]
    low, high = (min(max(end, smallest), largest) for end in found)
    return low, high


def limits_of_difference(bounds: Limits) -> Limits:
    """Return the smallest and largest difference of two values within bounds."""
    smallest, largest = bounds
    if smallest is None or largest is None:
        return None, None
    return smallest - largest, largest - smallest


def mean_interval(
    values: Sequence[float], *, family: int = 1, test_to_train: float = 0.0
) -> tuple[float, float] | None:
    """Return the interval of the mean at 1 - .05 / family; None for fewer than two values.

    It has Student's t at 1 - .05 / (2 family). The arguments are those of `bounded_interval`.
    """
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    half = quantile(len(values), family) * standard_error(values, test_to_train)
    return mean - half, mean + half


def standard_error(values: Sequence[float], test_to_train: float = 0.0) -> float:
    """Return the standard error of the mean of at least two values; see the module."""
    return _deviation(tuple(values)) * math.sqrt(1 / len(values) + test_to_train)


def t_test_p(values: Sequence[float], test_to_train: float = 0.0) -> float:
    """Return the two-sided p-value of Student's t-test that the mean is 0.

    At least two values. 1 where all are 0, 0 where all are one other value.
    """
    mean = abs(statistics.fmean(values))
    error = standard_error(values, test_to_train)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return 2 * float(stdtr(len(values) - 1, -mean / error))


@lru_cache(maxsize=1024)
def quantile(n: int, family: int = 1) -> float:
    """Return Student's t of n values at 1 - .05 / (2 family)."""
    return float(stdtrit(n - 1, 1 - ALPHA / (2 * family)))


@lru_cache(maxsize=1024)
def replicates_to_halve(n: int, family: int = 1) -> int:
    """Return how many more independent replicates would halve an interval of n at the same spread.

    Both that the mean varies less and that Student's t is smaller count.
    """
    goal = quantile(n, family) / math.sqrt(n) / 2
    total = n + 1
    while quantile(total, family) / math.sqrt(total) > goal:
        total += 1
    return total - n


def narrowest_half_width(
    values: Sequence[float], test_to_train: float, family: int = 1
) -> float | None:
    """Return the half-width that any number of re-splits of one data set cannot go below.

    None for fewer than two values.
    """
    sd = deviation(values)
    if sd is None:
        return None
    return float(ndtri(1 - ALPHA / (2 * family))) * sd * math.sqrt(test_to_train)


# Cached: a page that polls asks for the same values repeatedly.
@lru_cache(maxsize=8192)
def _deviation(values: tuple[float, ...]) -> float:
    return statistics.stdev(values)
