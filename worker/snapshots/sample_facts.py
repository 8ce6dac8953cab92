"""Facts of one snapshot for the pages: of each sample, of each class, and of all distances."""

from typing import Final

import torch
from torch import Tensor

from contract.snapshots import ClassFacts, Facts, Histogram
from worker.measure.neighbours import nearest_neighbours
from worker.measure.pair_distances import MAX_PAIR_ITEMS, centred, fixed_subset, histograms
from worker.measure.retrieval import relevant_items

NEIGHBOURS: Final = 10
"""Nearest neighbours that are kept of each sample."""
BINS: Final = 60
"""Of the histogram of distances."""
DIGITS: Final = 5
"""Significant digits of the numbers: they are shown, not computed with."""


@torch.no_grad()
def facts(embeddings: Tensor, labels: Tensor) -> Facts:
    """Compute the facts of a snapshot.

    Neighbours are the nearest by Euclidean distance, without the sample itself; of equally near
    ones the first comes first. A sample without another of its class has no accuracy and no average
    precision.

    Args:
        embeddings: [N, D], finite, N >= 2.
        labels: [N].
    """
    relevant = relevant_items(labels, labels) - 1
    depth = min(len(labels) - 1, max(NEIGHBOURS, int(relevant.max())))
    ranks = torch.arange(1, depth + 1, dtype=torch.float64, device=embeddings.device)
    neighbours: list[Tensor] = []
    first_hits: list[Tensor] = []
    precisions: list[Tensor] = []
    distances: list[Tensor] = []
    points = embeddings.to(torch.float64)
    for chunk, found in nearest_neighbours(embeddings, embeddings, depth, leave_self_out=True):
        due = relevant[chunk, None]
        hits = (labels[found] == labels[chunk, None]).to(torch.float64)
        at_rank = hits.cumsum(dim=1) / ranks
        counted = hits * (ranks <= due)
        precisions.append((counted * at_rank).sum(dim=1) / due[:, 0].clamp(min=1))
        first_hits.append(hits[:, 0])
        neighbours.append(found[:, :NEIGHBOURS])
        distances.append((points[chunk, None] - points[neighbours[-1]]).norm(dim=2))
    first_hit, average = torch.cat(first_hits), torch.cat(precisions)
    to_centroid, classes = _class_facts(points, labels, first_hit)
    known = relevant > 0
    return Facts(
        correct=[int(hit) if asked else None for hit, asked in _pairs(first_hit, known)],
        centroid_distance=_rounded(to_centroid),
        average_precision=[
            _short(value) if asked else None for value, asked in _pairs(average, known)
        ],
        neighbours=torch.cat(neighbours).tolist(),
        distances=[_rounded(row) for row in torch.cat(distances)],
        classes=classes,
        histogram=_histogram(embeddings, labels),
    )


def _class_facts(
    points: Tensor, labels: Tensor, first_hit: Tensor
) -> tuple[Tensor, list[ClassFacts]]:
    """Return each sample's distance [N] to the centroid of its class, and the facts of each
    class."""
    names, of_class, sizes = labels.unique(return_inverse=True, return_counts=True)
    centroids = points.new_zeros(len(names), points.shape[1]).index_add_(0, of_class, points)
    centroids /= sizes[:, None]
    away = (points - centroids[of_class]).norm(dim=1)
    zeros = points.new_zeros(len(names))
    variances = zeros.index_add(0, of_class, away.square()) / sizes
    right = zeros.index_add(0, of_class, first_hit) / sizes
    return away, [
        ClassFacts(label=label, n=n, variance=_short(variance), accuracy=share if n > 1 else None)
        for label, n, variance, share in zip(
            names.tolist(), sizes.tolist(), variances.tolist(), right.tolist(), strict=True
        )
    ]


def _histogram(embeddings: Tensor, labels: Tensor) -> Histogram:
    kept = fixed_subset(len(labels), MAX_PAIR_ITEMS).to(labels.device)
    found = histograms(centred(embeddings[kept]), labels[kept], BINS)
    return Histogram(
        edges=_rounded(found.edges),
        positive=found.positive.tolist(),
        negative=found.negative.tolist(),
    )


def _pairs(values: Tensor, known: Tensor) -> list[tuple[float, bool]]:
    return list(zip(values.tolist(), known.tolist(), strict=True))


def _rounded(values: Tensor) -> list[float]:
    return [_short(value) for value in values.tolist()]


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
