"""Nearest neighbours by matrix products, a chunk of queries at a time."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

CHUNK_ELEMENTS: Final = 16 * 2**20
"""Distances held at once: 64 MiB of float32."""
CHUNK_ROWS: Final = 4096
"""Queries held at once, so that a small gallery does not make a chunk of millions of them."""


def nearest(
    queries: Tensor, gallery: Tensor, k: int, *, leave_self_out: bool = False
) -> Iterator[tuple[slice, Tensor]]:
    """The k nearest of the gallery for each query, nearest first, by Euclidean distance.

    Args:
        queries: [Q, D].
        gallery: [N, D].
        k: at most N, or N - 1 where the query itself is left out.
        leave_self_out: the gallery is the queries, and no item is its own neighbour. By place,
            not by distance: a duplicate of a query may be its neighbour.

    Yields:
        A chunk of the queries, and its neighbours' indices [chunk, k].
    """
    offset = gallery.mean(dim=0)  # distances far from the origin would cancel badly
    queries, gallery = queries - offset, gallery - offset
    norms = gallery.square().sum(dim=1)
    rows = max(1, min(CHUNK_ROWS, CHUNK_ELEMENTS // len(gallery)))
    for start in range(0, len(queries), rows):
        chunk = slice(start, min(start + rows, len(queries)))
        # ||q||^2 is the same for all of a row and changes no order.
        distances = torch.addmm(norms, queries[chunk], gallery.T, alpha=-2)
        if leave_self_out:
            own = torch.arange(chunk.start, chunk.stop, device=queries.device)
            distances[own - chunk.start, own] = torch.inf
        yield chunk, distances.topk(k, largest=False, sorted=True).indices
