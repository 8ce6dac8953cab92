"""P-values of paired differences, and their adjustment for a family of tests."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.statistics.samples import ROUNDING

ENUMERATED_SEEDS: Final = 12
"""Up to this number of pairs all patterns of signs are tried; beyond, RANDOM_FLIPS drawn ones."""

RANDOM_FLIPS: Final = 20_000
"""Patterns of signs that are drawn for more pairs."""

_FLIP_SEED: Final = 0


def smallest_p(n: int) -> float:
    """Return the smallest p-value that the sign-flip test can give for n pairs: 2 / 2^n.

    With random flips (n > 12) it is at least 1 / 20,001.
    """
    exact = 2.0 ** (1 - n)
    return exact if n <= ENUMERATED_SEEDS else max(exact, 1 / (RANDOM_FLIPS + 1))


# Cached: a page that polls asks for the same values repeatedly.
@lru_cache(maxsize=8192)
def sign_flip_p(differences: tuple[float, ...]) -> float:
    """Return how often differences with flipped signs have a mean at least as far from 0.

    Two-sided. Valid wherever the difference of a pair is equally likely to have the other sign.
    """
    sums = np.abs(_sign_patterns(len(differences)) @ np.array(differences))
    observed = abs(math.fsum(differences)) - ROUNDING * math.fsum(map(abs, differences))
    as_extreme = int(np.count_nonzero(sums >= observed))
    if len(differences) <= ENUMERATED_SEEDS:
        return as_extreme / len(sums)
    return (as_extreme + 1) / (len(sums) + 1)


def sign_test_p(positive: int, negative: int) -> float:
    """Return the p-value of the exact two-sided sign test; 1 without a pair.

    Args:
        positive: number of pairs whose difference is above 0.
        negative: number of those below 0. Ties are not counted.
    """
    n = positive + negative
    tail = sum(math.comb(n, i) for i in range(min(positive, negative) + 1))
    return min(1.0, 2 * tail / (1 << n))


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
