"""Comparisons drawn at random, and how often the verdict's rules decide a claim of theirs.

Everything is drawn at once; a comparison is handed to the rules themselves (contract.statistics)
only where a quick look does not rule out that they decide a claim: an interval of every sample of
the claim, or the sign test of one whose signs alone count, has to exclude 0 first.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from contract.statistics import (
    ALPHA,
    Replication,
    Sample,
    Word,
    judge,
    sign_test_p,
    smallest_p,
    told_apart,
)
from contract.statistics.intervals import quantile
from contract.statistics.p_values import sign_flip_p

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """Claims, of which each rests on one metric or several."""

    name: str
    sizes: tuple[int, ...]
    """Metrics of each claim."""
    whole: int
    """The claim (from 0) whose metrics are whole-numbered, whatever the others are."""

    @property
    def owner(self) -> NDArray[np.int64]:
        """Claim of each sample."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def starts(self) -> NDArray[np.int64]:
        """First sample of each claim."""
        return np.cumsum((0, *self.sizes[:-1]))


AS_OURS: Final = Family("claims as ours", (2, 2, 2, 1, 1, 1, 2, 2, 2), 4)
ONE_EACH: Final = Family("claims of one metric", (1,) * 9, 4)
"""Hardest on the promise: no claim needs two metrics to agree."""

BETWEEN: Final = 0.3
"""Correlation of metrics of two claims, before they are made to follow a distribution."""

WITHIN: Final = 0.7
"""Correlation of two metrics of one claim."""


@dataclass(frozen=True)
class Source:
    """A distribution that a metric's values come from."""

    name: str
    of_normal: Callable[[Array], Array]
    """From values of a standard normal distribution."""
    signs_only: bool = False
    """Whether it is judged by the sign test."""


def _t_of_two_degrees(z: Array) -> Array:
    share = ndtr(z)
    return np.asarray((2 * share - 1) / np.sqrt(2 * share * (1 - share)))


def _whole(z: Array) -> Array:
    return np.round(3 * z)


NORMAL: Final = Source("normal", lambda z: z)
SOURCES: Final = (
    NORMAL,
    Source("lognormal", np.exp),
    Source("t with 2 degrees", _t_of_two_degrees),
    Source("whole-numbered", _whole, signs_only=True),
)
# Outside the promise: runs that collapse or do not, and a metric of few items judged by intervals.
TWO_VALUED: Final = Source("two values", lambda z: (z > 0) + 0.01 * z)
COARSE: Final = Source("coarse steps", np.round)


@dataclass(frozen=True)
class Share:
    """How often something happened in simulated comparisons."""

    share: float
    n: int

    @classmethod
    def of(cls, found: NDArray[np.bool_]) -> Self:
        """Return the share of True among comparisons."""
        return cls(float(found.mean()), len(found))

    @property
    def error(self) -> float:
        """Standard error of the share; that of one event where none happened."""
        share = min(max(self.share, 1 / self.n), 1 - 1 / self.n)
        return math.sqrt(share * (1 - share) / self.n)


def correlated(rng: np.random.Generator, family: Family, comparisons: int, n: int) -> Array:
    """Return standard normal values [comparisons, n, samples], correlated as metrics are."""
    common = rng.standard_normal((comparisons, n, 1))
    of_claim = rng.standard_normal((comparisons, n, len(family.sizes)))[..., family.owner]
    own = rng.standard_normal((comparisons, n, len(family.owner)))
    return np.asarray(
        math.sqrt(BETWEEN) * common
        + math.sqrt(WITHIN - BETWEEN) * of_claim
        + math.sqrt(1 - WITHIN) * own
    )


def no_difference(
    rng: np.random.Generator, family: Family, source: Source, comparisons: int, n: int
) -> Array:
    """Return differences of two arms whose values come from one distribution.

    Those of the claim whose samples are whole numbers are so in every distribution.
    """
    a, b = (correlated(rng, family, comparisons, n) for _ in range(2))
    differences = source.of_normal(a) - source.of_normal(b)
    whole = family.owner == family.whole
    differences[..., whole] = (_whole(a) - _whole(b))[..., whole]
    return differences


def on_the_bound(
    rng: np.random.Generator, family: Family, source: Source, comparisons: int, n: int
) -> Array:
    """Return differences around a true one of 1, the half-width of the practical bounds.

    Coarse steps are as wide as that half-width. Others have so little spread that the interval
    often fits between the bounds, even that of three replicates.
    """
    a, b = (source.of_normal(correlated(rng, family, comparisons, n)) for _ in range(2))
    return (a - b) / (1 if source == COARSE else 30) + 1


def skewed(rng: np.random.Generator, family: Family, comparisons: int, n: int) -> Array:
    """Return differences of mean 0 whose distribution is skewed: lognormal, less its mean."""
    return np.asarray(np.exp(correlated(rng, family, comparisons, n)) - math.exp(0.5))


def dependent(
    rng: np.random.Generator, family: Family, comparisons: int, n: int, test_to_train: float
) -> Array:
    """Return normal differences of mean 0 that correlate between replicates as re-splits do.

    Nadeau and Bengio take their correlation as the share of the test items among all.
    """
    share = test_to_train / (1 + test_to_train)
    shared = correlated(rng, family, comparisons, 1)
    own = correlated(rng, family, comparisons, n)
    return math.sqrt(share) * shared + math.sqrt(1 - share) * own


def signs_of(family: Family, source: Source) -> NDArray[np.bool_]:
    """Return for each sample of `no_difference` whether its signs alone count."""
    return np.asarray((family.owner == family.whole) | source.signs_only)


def are_decided(
    differences: Array,
    family: Family,
    words: Sequence[Word],
    *,
    signs: NDArray[np.bool_] | None = None,
    half_width: float | None = None,
    test_to_train: float = 0.0,
) -> NDArray[np.bool_]:
    """Return for each comparison whether at least one claim gets one of these words.

    Args:
        differences: [comparisons, n, samples].
        family: the claims that the samples belong to.
        words: of supported, contradicted, level; the claims expect greater differences. With a
            half-width not supported, which is then right.
        signs: for each sample whether its signs alone count; by default none.
        half_width: practical bound of the samples.
        test_to_train: of dependent splits.
    """
    signs = np.zeros(differences.shape[2], dtype=bool) if signs is None else signs
    possible = np.where(
        signs,
        _signs_decide(differences),
        _interval_decides(differences, len(family.sizes), half_width, test_to_train),
    )
    together = np.logical_and.reduceat(possible, family.starts, axis=1)
    candidates = np.flatnonzero(together.any(axis=1))
    replication = Replication("split" if test_to_train else "seed", test_to_train)
    found = np.zeros(len(differences), dtype=bool)
    for index in candidates:
        samples = [
            Sample(
                tuple(column),
                expected="greater",
                signs_only=bool(by_sign),
                half_width=None if by_sign else half_width,
            )
            for column, by_sign in zip(differences[index].T.tolist(), signs, strict=True)
        ]
        claims = [
            samples[start : start + size]
            for start, size in zip(family.starts, family.sizes, strict=True)
        ]
        found[index] = any(claim.word in words for claim in judge(claims, replication))
    return found


def leaning(differences: Array, family: Family, signs: NDArray[np.bool_]) -> Share:
    """Return in how many comparisons some claim leans or more: its plain tests agree on a side."""
    plain = np.where(signs, _signs_decide(differences), _interval_decides(differences, 1))
    side = np.where(plain, np.sign(differences.mean(axis=1)), 0)
    agree = np.abs(np.add.reduceat(side, family.starts, axis=1)) == np.array(family.sizes)
    return Share.of(agree.any(axis=1))


def share_decided(differences: Array, family: int) -> Share:
    """Return how often a claim of one metric is supported, beside others that show nothing.

    As contract.statistics decides it then: Holm's method multiplies its p by the whole family.

    Args:
        differences: [comparisons, n].
        family: number of claims, this one included.
    """
    n = differences.shape[1]
    low, _ = _ends(differences[..., None], family)
    candidates = differences[low[:, 0] > 0].tolist()
    if family * smallest_p(n) < ALPHA:
        candidates = [one for one in candidates if family * sign_flip_p(tuple(one)) < ALPHA]
    return Share(len(candidates) / len(differences), len(differences))


def share_level(differences: Array, family: int, half_width: float) -> Share:
    """Return how often a claim of one metric, [comparisons, n], is level in its family."""
    low, high = _ends(differences[..., None], family)
    return Share.of((low > -half_width)[:, 0] & (high < half_width)[:, 0])


def arms_told_apart(values: Array, *, signs_only: bool) -> Share:
    """Return in how many comparisons [comparisons, n, arms] some two arms are told apart."""
    pairs = list(combinations(range(values.shape[2]), 2))
    differences = np.stack([values[..., a] - values[..., b] for a, b in pairs], axis=2)
    possible = (
        _signs_decide(differences) if signs_only else _interval_decides(differences, len(pairs))
    )
    hits = 0
    for index in np.flatnonzero(possible.any(axis=1)):
        by_arm = {
            str(arm): dict(enumerate(column)) for arm, column in enumerate(values[index].T.tolist())
        }
        hits += any(pair.told_apart for pair in told_apart(by_arm, signs_only=signs_only).pairs)
    return Share(hits / len(values), len(values))


def _interval_decides(
    differences: Array, family: int, half_width: float | None = None, test_to_train: float = 0.0
) -> NDArray[np.bool_]:
    """Return for [comparisons, samples] whether the interval excludes 0.

    With practical bounds: whether it lies below 0 or within the bounds. Where there is no spread,
    that is left open: True.
    """
    low, high = _ends(differences, family, test_to_train)
    other = low > 0 if half_width is None else (low > -half_width) & (high < half_width)
    return np.asarray((high < 0) | other | (np.ptp(differences, axis=1) == 0))


def _ends(differences: Array, family: int, test_to_train: float = 0.0) -> tuple[Array, Array]:
    n = differences.shape[1]
    mean = differences.mean(axis=1)
    error = differences.std(axis=1, ddof=1) * math.sqrt(1 / n + test_to_train)
    half = quantile(n, family) * error * (1 - 1e-9)
    return mean - half, mean + half


def _signs_decide(differences: Array) -> NDArray[np.bool_]:
    """Return for [comparisons, samples] whether the sign test alone has a p below .05."""
    n = differences.shape[1]
    table = np.array(
        [[sign_test_p(up, down) < ALPHA for down in range(n + 1)] for up in range(n + 1)]
    )
    return np.asarray(table[(differences > 0).sum(axis=1), (differences < 0).sum(axis=1)])
