"""The difference between two arms over the same seeds, described by itself."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from contract.statistics.intervals import deviation, interval
from contract.statistics.p_values import sign_flip_p, smallest_p
from contract.statistics.samples import ROUNDING, SampleError, finite_numbers


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
    a, b = finite_numbers("values_a", values_a), finite_numbers("values_b", values_b)
    if len(a) != len(b):
        raise SampleError(
            f"values_a and values_b are paired by seed and must be of one length; "
            f"got {len(a)} and {len(b)}"
        )
    return _compare(tuple(a), tuple(b))


def effect_size(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Hedges' g_av: the mean difference over sqrt((sd_a^2 + sd_b^2) / 2), times
    1 - 3 / (8n - 9); None where neither arm varies, or for a single pair.

    Lakens 2013, "Calculating and reporting effect sizes to facilitate cumulative science".
    """
    sd_a, sd_b = deviation(a), deviation(b)
    if sd_a is None or sd_b is None:
        return None
    spread = math.sqrt((sd_a**2 + sd_b**2) / 2)
    if spread <= ROUNDING * max(map(abs, [*a, *b])):
        return None
    correction = 1 - 3 / (8 * len(a) - 9)
    return correction * (statistics.fmean(a) - statistics.fmean(b)) / spread


# Cached, as are deviations and p-values: a page that polls asks for the same values repeatedly.
@lru_cache(maxsize=8192)
def _compare(a: tuple[float, ...], b: tuple[float, ...]) -> PairedDifference:
    differences = tuple(x - y for x, y in zip(a, b, strict=True))
    return PairedDifference(
        mean_difference=statistics.fmean(differences),
        interval=interval(differences),
        p_value=sign_flip_p(differences),
        smallest_p=smallest_p(len(a)),
        effect_size=effect_size(a, b),
        n=len(a),
    )
