"""Distances of all pairs of items: computed a chunk at a time, and counted in histograms."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor

from worker.errors import InputError
from worker.measure.inputs import check_classes, check_pairs
from worker.reporting import signs_of_life

MAX_PAIR_ITEMS: Final = 5_000
"""Most items for measures of all pairs: 12.5 million pairs, well under a second."""

CHUNK_PAIRS: Final = 2**18
"""Pairs in memory at once: 2 MiB of float64, which stay in the processor's cache."""

CHUNK_ROWS: Final = 64
"""Items compared with all earlier ones at once; pairs within a chunk cost more than the others."""

_SEED: Final = 0


class Histograms(NamedTuple):
    """Histograms of the distances of positive and of negative pairs over common bins."""

    edges: Tensor
    """[bins + 1] edges in units of distance, rising."""
    positive: Tensor
    """[bins] number of pairs of one class; the upper edge of a bin belongs to the next one, except
    that of the last."""
    negative: Tensor
    """[bins] number of pairs of two classes."""

    @property
    def overlap(self) -> float | None:
        """Area shared by both histograms, each normalised to an area of 1; None if one is empty."""
        if not (self.positive.any() and self.negative.any()):
            return None
        positive, negative = (part / part.sum() for part in (self.positive, self.negative))
        return float(torch.minimum(positive, negative).sum())


@torch.no_grad()
def distance_histograms(embeddings: Tensor, labels: Tensor, bins: int = 100) -> Histograms:
    """Count the Euclidean distances of positive and of negative pairs in histograms.

    The bins split the range from the smallest to the largest distance of all pairs evenly. Of more
    than 5,000 items a fixed random 5,000 are used. Where all distances are equal, the range is
    half a unit to either side.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, two classes or more, one of them with two members.
        bins: number of bins, at least 1.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    check_classes(labels)
    if bins < 1:
        raise InputError(f"bins: expected at least 1, got {bins}")
    kept = fixed_subset(len(labels), MAX_PAIR_ITEMS).to(labels.device)
    return histograms(centred(embeddings[kept]), labels[kept], bins)


def histograms(points: Tensor, labels: Tensor, bins: int = 100) -> Histograms:
    """Count all pairs of centred float64 points [N, D], as `distance_histograms` does."""
    ends = [torch.stack(part.aminmax()) for part, _ in squared_pair_distances(points, labels)]
    low, high = (float(end) for end in torch.stack(ends).sqrt().aminmax())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = torch.zeros(2 * bins, dtype=torch.int64, device=points.device)
    for squared, same in squared_pair_distances(points, labels):
        places = squared.sqrt_().sub_(low).mul_(bins / (high - low)).to(torch.int64)
        places.clamp_(max=bins - 1)
        counts += (places + bins * same).bincount(minlength=2 * bins)
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64, device=points.device)
    negative, positive = counts.view(2, bins)
    return Histograms(edges, positive, negative)


def squared_pair_distances(points: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Compute squared Euclidean distances of all unordered pairs, and whether their labels agree.

    Args:
        points: [N, D], best centred, because distances far from the origin cancel badly.
        labels: [N].

    Yields:
        Distances [P] >= 0 and agreement [P] of some pairs; over all chunks each of the
        N (N - 1) / 2 pairs comes once.
    """
    norms = points.square().sum(dim=1)
    rows = max(1, min(CHUNK_ROWS, CHUNK_PAIRS // len(points)))
    for start in range(0, len(points), rows):
        signs_of_life.sign()
        stop = min(start + rows, len(points))
        here, so_far = slice(start, stop), slice(0, stop)
        squared = torch.addmm(norms[so_far], points[here], points[so_far].T, alpha=-2)
        squared = squared.add_(norms[here, None]).clamp_(min=0)
        same = labels[here, None] == labels[so_far]
        if start:
            yield squared[:, :start].flatten(), same[:, :start].flatten()
        one, other = torch.tril_indices(stop - start, stop - start, -1, device=points.device)
        if len(one):
            yield squared[one, start + other], same[one, start + other]


def centred(points: Tensor) -> Tensor:
    """Return points [N, D] minus their mean, float64; exactly zero where all points are equal."""
    points = points.to(torch.float64)
    points = points - points[0]
    return points - points.mean(dim=0)


def fixed_subset(count: int, limit: int) -> Tensor:
    """Return sorted indices of at most `limit` of `count` items: always the same random ones."""
    if count <= limit:
        return torch.arange(count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(_SEED))
    return order[:limit].sort().values
