"""Statistics over seeds: intervals of means, and paired differences between two arms."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

ENUMERATED_SEEDS: Final = 12
"""Up to this number of pairs all patterns of signs are tried; beyond, RANDOM_FLIPS drawn ones."""

RANDOM_FLIPS: Final = 20_000
"""Patterns of signs that are drawn for more pairs."""

_FLIP_SEED: Final = 0
_ROUNDING: Final = 1e-12
"""Relative difference, by the size of the terms, up to which sums count as equal."""


class SampleError(ValueError):
    """Values that cannot be compared; names the argument and says what was given."""


@dataclass(frozen=True)
class PairedDifference:
    """The difference between two arms over the same seeds."""

    mean_difference: float
    """Mean over the pairs of a - b."""
    interval: tuple[float, float] | None
    """95 % interval of the mean difference by Student's t; None for a single pair."""
    p_value: float
    """P-value of the two-sided sign-flip test: how often differences with flipped signs have a mean
    at least as far from 0."""
    smallest_p: float
    """Smallest p-value that this number of pairs can give."""
    effect_size: float | None
    """Hedges' g_av; None where neither arm varies, or for a single pair."""
    n: int
    """Number of pairs."""


def deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation of a sample (n - 1); None for fewer than two values."""
    return _deviation(tuple(values)) if len(values) > 1 else None


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean by Student's t; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    error = _deviation(tuple(values)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return mean - half, mean + half


def compare(values_a: Sequence[float], values_b: Sequence[float]) -> PairedDifference:
    """Compare two arms over the same seeds.

    The p-value assumes only that without an effect the difference of a pair is equally likely to
    have the other sign. Up to 12 pairs it is exact, from all 2^n patterns of signs; for more it is
    (k + 1) / (N + 1) with N = 20,000 patterns drawn from a fixed seed, k of them at least as
    extreme.

    Args:
        values_a: [n] finite numbers, one for each seed.
        values_b: [n], for the same seeds in the same order.

    Raises:
        SampleError: there are no values, different numbers of them, or values that are not finite.
    """
    a, b = _numbers("values_a", values_a), _numbers("values_b", values_b)
    if len(a) != len(b):
        raise SampleError(
            f"values_a and values_b are paired by seed and must be of one length; "
            f"got {len(a)} and {len(b)}"
        )
    return _compare(tuple(a), tuple(b))


def smallest_p(n: int) -> float:
    """Return the smallest p-value that the sign-flip test can give for n pairs: 2 / 2^n.

    With random flips (n > 12) it is at least 1 / 20,001.
    """
    exact = 2.0 ** (1 - n)
    return exact if n <= ENUMERATED_SEEDS else max(exact, 1 / (RANDOM_FLIPS + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for multiple tests (Holm 1979); the order stays.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than
    the one before it, or larger than 1.
    """
    adjusted = [0.0] * len(p_values)
    so_far = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = so_far
    return adjusted


def _numbers(name: str, values: Sequence[float]) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise SampleError(f"{name} must be a sequence of numbers; got {values!r:.80}") from error
    if not numbers:
        raise SampleError(f"{name} must have at least one value; got none")
    for index, number in enumerate(numbers):
        if not math.isfinite(number):
            raise SampleError(f"{name} must be finite; got {number} at index {index}")
    return numbers


# Cached, as are deviations and patterns: a page that polls asks for the same values repeatedly.
@lru_cache(maxsize=8192)
def _compare(a: tuple[float, ...], b: tuple[float, ...]) -> PairedDifference:
    differences = tuple(x - y for x, y in zip(a, b, strict=True))
    return PairedDifference(
        mean_difference=statistics.fmean(differences),
        interval=interval(differences),
        p_value=_sign_flip_p_value(differences),
        smallest_p=smallest_p(len(a)),
        effect_size=_effect_size(a, b),
        n=len(a),
    )


@lru_cache(maxsize=8192)
def _deviation(values: tuple[float, ...]) -> float:
    return statistics.stdev(values)


def _effect_size(a: tuple[float, ...], b: tuple[float, ...]) -> float | None:
    """Return Hedges' g_av: the mean difference over sqrt((sd_a^2 + sd_b^2) / 2), times
    1 - 3 / (8n - 9).

    Lakens 2013, "Calculating and reporting effect sizes to facilitate cumulative science".
    """
    if len(a) < 2:
        return None
    spread = math.sqrt((_deviation(a) ** 2 + _deviation(b) ** 2) / 2)
    if spread <= _ROUNDING * max(map(abs, a + b)):
        return None
    correction = 1 - 3 / (8 * len(a) - 9)
    return correction * (statistics.fmean(a) - statistics.fmean(b)) / spread


def _sign_flip_p_value(differences: tuple[float, ...]) -> float:
    sums = np.abs(_sign_patterns(len(differences)) @ np.array(differences))
    observed = abs(math.fsum(differences)) - _ROUNDING * math.fsum(map(abs, differences))
    as_extreme = int(np.count_nonzero(sums >= observed))
    if len(differences) <= ENUMERATED_SEEDS:
        return as_extreme / len(sums)
    return (as_extreme + 1) / (len(sums) + 1)


@lru_cache(maxsize=2)
def _sign_patterns(n: int) -> NDArray[np.float64]:
    """Return rows of n signs: all patterns, or random ones.

    One half of all patterns is enough: flipping every sign of a pattern gives the same |sum|.
    """
    if n <= ENUMERATED_SEEDS:
        bits = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1
    else:
        bits = np.random.default_rng(_FLIP_SEED).integers(0, 2, size=(RANDOM_FLIPS, n))
    return np.asarray(bits * 2 - 1, dtype=np.float64)
