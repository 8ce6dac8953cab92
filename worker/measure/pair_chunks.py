"""All pairs of a set of points, each once, a chunk at a time."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

PAIR_ITEMS: Final = 5_000
"""Measures of all pairs use at most so many items: 12.5 million pairs, well under a second."""
CHUNK_PAIRS: Final = 2**18
"""Pairs held at once: 2 MiB of float64, that stay in the processor's cache."""
CHUNK_ROWS: Final = 64
"""Items held against the earlier ones at once; their own pairs cost more than the others."""
_SEED: Final = 0


def subset(count: int, most: int) -> Tensor:
    """Places of at most so many of `count` items, in order: always the same random ones."""
    if count <= most:
        return torch.arange(count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(_SEED))
    return order[:most].sort().values


def centred(points: Tensor) -> Tensor:
    """Points [N, D] about their mean, float64; exactly zero where all are alike."""
    points = points.to(torch.float64)
    points = points - points[0]
    return points - points.mean(dim=0)


def squared_distances(points: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Squared Euclidean distances of all unordered pairs, and whether their labels agree.

    Args:
        points: [N, D], best centred, for distances far from the origin cancel badly.
        labels: [N].

    Yields:
        Distances [P] >= 0 and agreement [P], all N (N - 1) / 2 pairs in the end.
    """
    norms = points.square().sum(dim=1)
    rows = max(1, min(CHUNK_ROWS, CHUNK_PAIRS // len(points)))
    for start in range(0, len(points), rows):
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
