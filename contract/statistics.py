"""How sure a number is: intervals over seeds, and paired differences between two arms."""

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
"""Up to so many pairs every pattern of signs is tried; beyond, RANDOM_FLIPS drawn ones."""

RANDOM_FLIPS: Final = 20_000

_FLIP_SEED: Final = 0
_ROUNDING: Final = 1e-12
"""Share of the terms' sizes by which sums may differ that are equal but for rounding."""


class SampleError(ValueError):
    """Values that cannot be compared; names the argument and what was seen."""


@dataclass(frozen=True)
class PairedDifference:
    """How one arm lies against another, seed by seed."""

    mean_difference: float
    """Mean over the pairs of a - b."""
    interval: tuple[float, float] | None
    """The 95 % interval of the mean difference, by Student's t; None for a single pair."""
    p_value: float
    """Two-sided sign-flip test: how often flipped differences have a mean as far from 0."""
    smallest_p: float
    """No data of so many pairs give less."""
    effect_size: float | None
    """Hedges' g_av; None where neither arm spreads, or for a single pair."""
    n: int
    """Pairs."""


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation of the sample (n - 1); None for fewer than two values."""
    return _deviation(tuple(values)) if len(values) > 1 else None


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean, by Student's t; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    error = _deviation(tuple(values)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return mean - half, mean + half


def compare(values_a: Sequence[float], values_b: Sequence[float]) -> PairedDifference:
    """Compare two arms over the same seeds.

    The p-value assumes only that without an effect a pair's difference is as likely to have the
    other sign. It is exact, from all 2^n sign patterns, up to 12 pairs; for more it is
    (k + 1) / (N + 1) of N = 20,000 patterns drawn from a fixed seed, k of them as extreme.

    Args:
        values_a: [n] finite numbers, one a seed.
        values_b: [n], of the same seeds in the same order.

    Raises:
        SampleError: there are none, not as many of both, or not finite ones.
    """
    a, b = _numbers("values_a", values_a), _numbers("values_b", values_b)
    if len(a) != len(b):
        raise SampleError(
            f"values_a and values_b are paired by seed and must be of one length; "
            f"got {len(a)} and {len(b)}"
        )
    return _compare(tuple(a), tuple(b))


def smallest_p(n: int) -> float:
    """The smallest p-value that the sign-flip test can give for n pairs: 2 / 2^n.

    With random flips (n > 12) it is at least 1 / 20,001.
    """
    exact = 2.0 ** (1 - n)
    return exact if n <= ENUMERATED_SEEDS else max(exact, 1 / (RANDOM_FLIPS + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for being several, in their order (Holm 1979).

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than
    one before it, nor larger than 1.
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


# Remembered, as are deviations and patterns: a page that polls asks for the same again and again.
@lru_cache(maxsize=8192)
def _compare(a: tuple[float, ...], b: tuple[float, ...]) -> PairedDifference:
    differences = tuple(x - y for x, y in zip(a, b, strict=True))
    return PairedDifference(
        mean_difference=statistics.fmean(differences),
        interval=interval(differences),
        p_value=_sign_flip(differences),
        smallest_p=smallest_p(len(a)),
        effect_size=_effect_size(a, b),
        n=len(a),
    )


@lru_cache(maxsize=8192)
def _deviation(values: tuple[float, ...]) -> float:
    return statistics.stdev(values)


def _effect_size(a: tuple[float, ...], b: tuple[float, ...]) -> float | None:
    """Hedges' g_av: the mean difference over sqrt((sd_a^2 + sd_b^2) / 2), times 1 - 3 / (8n - 9).

    Lakens 2013, "Calculating and reporting effect sizes to facilitate cumulative science".
    """
    if len(a) < 2:
        return None
    spread = math.sqrt((_deviation(a) ** 2 + _deviation(b) ** 2) / 2)
    if spread <= _ROUNDING * max(map(abs, a + b)):
        return None
    correction = 1 - 3 / (8 * len(a) - 9)
    return correction * (statistics.fmean(a) - statistics.fmean(b)) / spread


def _sign_flip(differences: tuple[float, ...]) -> float:
    sums = np.abs(_patterns(len(differences)) @ np.array(differences))
    observed = abs(math.fsum(differences)) - _ROUNDING * math.fsum(map(abs, differences))
    as_extreme = int(np.count_nonzero(sums >= observed))
    if len(differences) <= ENUMERATED_SEEDS:
        return as_extreme / len(sums)
    return (as_extreme + 1) / (len(sums) + 1)


@lru_cache(maxsize=2)
def _patterns(n: int) -> NDArray[np.float64]:
    """Rows of n signs: all of them, or random ones.

    All of them are half of what there are: turning every sign of one gives the same |sum|.
    """
    if n <= ENUMERATED_SEEDS:
        bits = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1
    else:
        bits = np.random.default_rng(_FLIP_SEED).integers(0, 2, size=(RANDOM_FLIPS, n))
    return np.asarray(bits * 2 - 1, dtype=np.float64)
