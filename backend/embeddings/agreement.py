"""How much two arms agree on the same samples: neighbours kept and linear CKA; pure functions."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.embeddings.tuples import evenly_spaced

MOST_SAMPLES: Final = 2000
"""Of more samples as many are compared by CKA, evenly spaced."""
_LEAST: Final = 4
"""Samples that the unbiased estimate needs."""

Labels = NDArray[np.int_]
Numbers = NDArray[np.float64]


class ClassKept(NamedTuple):
    """One class of the samples."""

    label: int
    n: int
    kept: float
    """Share of its samples' neighbours that both arms have, mean over the samples."""


class Cka(NamedTuple):
    """Linear CKA of two sets of embeddings of the same samples; None where it is not defined."""

    among: int
    """Samples that were compared."""
    debiased: float | None
    biased: float | None
    """As Kornblith et al. 2019 define it; too high where dimensions are many for the samples."""


def neighbours_kept(a: Sequence[Sequence[int]], b: Sequence[Sequence[int]]) -> Numbers:
    """Return for each sample the share of its nearest neighbours in `a` that it has in `b` too."""
    return np.array(
        [
            len(set(ours) & set(theirs)) / max(1, len(ours))
            for ours, theirs in zip(a, b, strict=True)
        ]
    )


def by_class(kept: Numbers, labels: Labels) -> list[ClassKept]:
    """Return the mean share of each class, the class that moved most first."""
    found = [
        ClassKept(int(label), int(own.sum()), float(kept[own].mean()))
        for label in np.unique(labels)
        for own in [labels == label]
    ]
    return sorted(found, key=lambda one: (one.kept, one.label))


def linear_cka(a: NDArray[Any], b: NDArray[Any]) -> Cka:
    """Compare embeddings [N, D] and [N, E] of the same samples.

    Both are 1 for spaces that differ by a rotation, a shift and one scale. `debiased` has the
    unbiased estimator of HSIC (Song et al. 2012) in the place of each inner product of
    `biased`.
    """
    places = evenly_spaced(len(a), MOST_SAMPLES)
    first, second = (_centred(one[places]) for one in (a, b))
    among = len(places)
    biased = _ratio(
        float(((second.T @ first) ** 2).sum()),
        float(((first.T @ first) ** 2).sum()),
        float(((second.T @ second) ** 2).sum()),
    )
    if among < _LEAST:
        return Cka(among, None, biased)
    grams = [one @ one.T for one in (first, second)]
    for gram in grams:
        np.fill_diagonal(gram, 0)
    ours, theirs = grams
    debiased = _ratio(_hsic(ours, theirs), _hsic(ours, ours), _hsic(theirs, theirs))
    return Cka(among, debiased, biased)


def _centred(points: NDArray[Any]) -> Numbers:
    found: Numbers = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    spread = float(np.abs(found).max())
    return found / spread if spread else found  # no overflow of fourth powers


def _hsic(k: Numbers, other: Numbers) -> float:
    """Return the unbiased estimate of HSIC of two Gram matrices [n, n] without their diagonals."""
    n = len(k)
    sums, others = k.sum(axis=0), other.sum(axis=0)
    trace = float((k * other).sum())
    apart = float(sums.sum() * others.sum()) / ((n - 1) * (n - 2))
    crossed = 2 * float(sums @ others) / (n - 2)
    return (trace + apart - crossed) / (n * (n - 3))


def _ratio(both: float, first: float, second: float) -> float | None:
    if first <= 0 or second <= 0:
        return None
    return both / float(np.sqrt(first) * np.sqrt(second))
