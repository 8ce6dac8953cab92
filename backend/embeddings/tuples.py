"""The hardest tuples of a snapshot, and samples whose label is suspect; pure functions.

Distances are Euclidean, in units of the mean distance of two samples, so that arms whose spaces are
wider or narrower are measured alike.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

LISTED: Final = 12
"""Tuples of each kind."""
MOST_SAMPLES: Final = 2000
"""Of more samples as many are looked at, evenly spaced: the work grows with their square."""
_BLOCK: Final = 256
"""Rows of the matrix of distances that are computed at once."""

Distances = NDArray[np.float32]
Labels = NDArray[np.int_]


class HardTuple(NamedTuple):
    """A triplet (anchor, positive, negative) or a pair."""

    samples: tuple[int, ...]
    value: float
    """Of a triplet its violation, of a pair its distance; in units of the mean distance."""


class HardestTuples(NamedTuple):
    """The hardest tuples of each kind, the hardest first."""

    among: int
    """Samples that were looked at."""
    mean_distance: float
    """Of two samples, in the embedding space."""
    triplets: list[HardTuple]
    positives: list[HardTuple]
    negatives: list[HardTuple]


class Suspect(NamedTuple):
    """A sample that all arms place among another class."""

    sample: int
    suggested: int
    """Label of that class."""
    share: float
    """Share of its neighbours that have it, mean over the arms."""


def hardest_tuples(embeddings: NDArray[Any], labels: Labels) -> HardestTuples:
    """Find the hardest tuples of a snapshot.

    Args:
        embeddings: [N, D], finite.
        labels: [N].
    """
    places = evenly_spaced(len(labels), MOST_SAMPLES)
    between, mean = scaled_distances(embeddings[places])
    same = labels[places][:, None] == labels[places]
    if mean == 0:
        return HardestTuples(len(places), 0.0, [], [], [])
    upper = np.triu(np.ones_like(same), 1)
    triplets = _triplets(between, same)
    positives = _pairs(np.where(same & upper, between, -np.inf))
    negatives = _pairs(np.where(~same & upper, -between, -np.inf))
    kinds = triplets, positives, [HardTuple(one.samples, -one.value) for one in negatives]
    named = [
        [HardTuple(tuple(int(places[at]) for at in one.samples), one.value) for one in kind]
        for kind in kinds
    ]
    return HardestTuples(len(places), mean, *named)


def suspects(neighbours: Sequence[Sequence[Sequence[int]]], labels: Labels) -> list[Suspect]:
    """Find the samples that have one and the same other class as a majority of their nearest
    neighbours in all arms; those with the largest majority first.

    Args:
        neighbours: by arm, then by sample, the nearest other samples.
        labels: [N].
    """
    found = []
    for sample, label in enumerate(labels.tolist()):
        shares = []
        suggested: set[int] = set()
        for of_arm in neighbours:
            near = of_arm[sample]
            most, count = Counter(labels[near].tolist()).most_common(1)[0] if near else (label, 0)
            if most == label or 2 * count <= len(near):
                break
            suggested.add(most)
            shares.append(count / len(near))
        if shares and len(shares) == len(neighbours) and len(suggested) == 1:
            found.append(Suspect(sample, suggested.pop(), sum(shares) / len(shares)))
    return sorted(found, key=lambda one: (-one.share, one.sample))


def scaled_distances(embeddings: NDArray[Any]) -> tuple[Distances, float]:
    """Return the distances [N, N] of embeddings [N, D] over their mean, and that mean.

    The mean is that of two different samples; where it is 0, distances are 0 too.
    """
    points = embeddings.astype(np.float64)
    points -= points.mean(axis=0)  # smaller numbers: less is lost in the difference of squares
    squared = (points**2).sum(axis=1)
    found = np.empty((len(points), len(points)), dtype=np.float32)
    for start in range(0, len(points), _BLOCK):
        rows = slice(start, start + _BLOCK)
        apart = squared[rows, None] + squared - 2 * points[rows] @ points.T
        found[rows] = np.sqrt(np.maximum(apart, 0))
    np.fill_diagonal(found, 0)
    pairs = len(points) * (len(points) - 1)
    mean = float(found.sum(dtype=np.float64) / pairs) if pairs else 0.0
    return (found / np.float32(mean) if mean else found), mean


def evenly_spaced(n: int, most: int) -> NDArray[np.int_]:
    """Return all n places, or `most` of them, evenly spaced."""
    if n <= most:
        return np.arange(n)
    return np.linspace(0, n - 1, most).round().astype(np.int_)


def _triplets(between: Distances, same: NDArray[np.bool_]) -> list[HardTuple]:
    """Return the most violated triplets: the largest d(a, p) - d(a, n) above 0.

    No sample is in two of them: else one outlier would be in all.
    """
    positive = np.where(same, between, -np.inf)
    np.fill_diagonal(positive, -np.inf)
    negative = np.where(same, np.inf, between)
    found: list[HardTuple] = []
    while len(found) < LISTED:
        violation = positive.max(axis=1) - negative.min(axis=1)
        anchor = int(violation.argmax())
        if not violation[anchor] > 0:
            break
        used = [anchor, int(positive[anchor].argmax()), int(negative[anchor].argmin())]
        found.append(HardTuple(tuple(used), float(violation[anchor])))
        positive[used], positive[:, used] = -np.inf, -np.inf
        negative[used], negative[:, used] = np.inf, np.inf
    return found


def _pairs(value: NDArray[np.floating[Any]]) -> list[HardTuple]:
    """Return the pairs with the largest values of a matrix, no sample in two of them; -inf marks
    what is no pair."""
    found: list[HardTuple] = []
    while len(found) < LISTED:
        row, column = (int(at) for at in np.unravel_index(value.argmax(), value.shape))
        if value[row, column] == -np.inf:
            break
        found.append(HardTuple((row, column), float(value[row, column])))
        value[[row, column]], value[:, [row, column]] = -np.inf, -np.inf
    return found
