"""What one arm makes of the samples of a snapshot, point by point."""

from typing import Final

import torch
from torch import Tensor

from contract.snapshots import ClassFacts, Facts, Histogram
from worker.measure.neighbours import nearest
from worker.measure.pair_distances import PAIR_ITEMS, centred, histograms, subset
from worker.measure.retrieval import relevant_items

NEIGHBOURS: Final = 10
BINS: Final = 60
DIGITS: Final = 5
"""Significant digits of the numbers, which are looked at and not computed with."""


@torch.no_grad()
def facts(embeddings: Tensor, labels: Tensor) -> Facts:
    """Facts of embeddings [N, D], finite, with labels [N]; N >= 2.

    Neighbours are by Euclidean distance, the sample itself left out; of equals the first.
    """
    relevant = relevant_items(labels, labels) - 1
    most = min(len(labels) - 1, max(NEIGHBOURS, int(relevant.max())))
    ranks = torch.arange(1, most + 1, dtype=torch.float64, device=embeddings.device)
    near: list[Tensor] = []
    hit: list[Tensor] = []
    precision: list[Tensor] = []
    between: list[Tensor] = []
    points = embeddings.to(torch.float64)
    for chunk, found in nearest(embeddings, embeddings, most, leave_self_out=True):
        due = relevant[chunk, None]
        hits = (labels[found] == labels[chunk, None]).to(torch.float64)
        at_rank = hits.cumsum(dim=1) / ranks
        counted = hits * (ranks <= due)
        precision.append((counted * at_rank).sum(dim=1) / due[:, 0].clamp(min=1))
        hit.append(hits[:, 0])
        near.append(found[:, :NEIGHBOURS])
        between.append((points[chunk, None] - points[near[-1]]).norm(dim=2))
    neighbours, first, averages = torch.cat(near), torch.cat(hit), torch.cat(precision)
    to_centroid, classes = _classes(points, labels, first)
    known = relevant > 0
    return Facts(
        correct=[int(is_hit) if asked else None for is_hit, asked in _pairs(first, known)],
        centroid_distance=_rounded(to_centroid),
        average_precision=[
            _short(value) if asked else None for value, asked in _pairs(averages, known)
        ],
        neighbours=neighbours.tolist(),
        distances=[_rounded(row) for row in torch.cat(between)],
        classes=classes,
        histogram=_histogram(embeddings, labels),
    )


def _classes(points: Tensor, labels: Tensor, first: Tensor) -> tuple[Tensor, list[ClassFacts]]:
    """Each sample's distance [N] to its class's centroid, and what is known of each class."""
    names, of_class, sizes = labels.unique(return_inverse=True, return_counts=True)
    centroids = points.new_zeros(len(names), points.shape[1]).index_add_(0, of_class, points)
    centroids /= sizes[:, None]
    away = (points - centroids[of_class]).norm(dim=1)
    zeros = points.new_zeros(len(names))
    variances = zeros.index_add(0, of_class, away.square()) / sizes
    right = zeros.index_add(0, of_class, first) / sizes
    return away, [
        ClassFacts(label=label, n=n, variance=_short(variance), accuracy=share if n > 1 else None)
        for label, n, variance, share in zip(
            names.tolist(), sizes.tolist(), variances.tolist(), right.tolist(), strict=True
        )
    ]


def _histogram(embeddings: Tensor, labels: Tensor) -> Histogram:
    kept = subset(len(labels), PAIR_ITEMS).to(labels.device)
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
