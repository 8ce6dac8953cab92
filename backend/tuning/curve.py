"""What more trials are worth: the best validation value that a number of trials leads to.

For random trials it is the expected best of n of them, drawn without replacement from those that
ended: the unbiased estimator of Tang et al. 2020 (arXiv 2004.13705), which corrects the one with
replacement of Dodge et al. 2019. TPE's trials depend on one another, so there it is the best one
of the first n.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

LOW: Final = 0.1
HIGH: Final = 0.9


class Point(NamedTuple):
    """The best score after n trials; larger scores are better."""

    n: int
    value: float
    low: float | None
    """Below it lies the best of one in ten choices of n trials; None with TPE."""
    high: float | None
    """Above it lies the best of one in ten."""


def expected_best(scores: Sequence[float]) -> list[Point]:
    """Return the expected best score of n of these trials, for each n.

    The best of n of N trials is the i-th smallest score with probability C(i-1, n-1) / C(N, n). The
    bounds are the exact 10 % and 90 % quantiles of that distribution.

    Args:
        scores: of independent trials; a failed trial has the worst score of the others.
    """
    ordered = np.sort(np.asarray(scores, dtype=float))
    return [_best_of(ordered, n) for n in range(1, len(ordered) + 1)]


def running_best(scores: Sequence[float | None]) -> list[Point]:
    """Return the best score of the first n trials, for each n from the first one with a score.

    Args:
        scores: in the order of the trials; None for a failed one.
    """
    points: list[Point] = []
    best: float | None = None
    for n, score in enumerate(scores, 1):
        if score is not None:
            best = score if best is None else max(best, score)
        if best is not None:
            points.append(Point(n, best, None, None))
    return points


def _best_of(ordered: NDArray[np.float64], n: int) -> Point:
    chance = _chances(len(ordered), n)
    below = np.cumsum(chance)
    low, high = (
        # The chances add up to 1 but for rounding.
        float(ordered[min(int(np.searchsorted(below, share - 1e-12)), len(ordered) - 1)])
        for share in (LOW, HIGH)
    )
    return Point(n, float(chance @ ordered), low, high)


def _chances(trials: int, n: int) -> NDArray[np.float64]:
    """Return the probabilities that the i-th smallest of all is the best of n, for i = 1 ... N."""
    i = np.arange(trials, 1, -1)
    ratios = np.maximum(i - n, 0) / (i - 1)  # of the chance of i - 1 to that of i
    from_the_best = n / trials * np.concatenate([[1.0], np.cumprod(ratios)])
    return from_the_best[::-1]
