"""Which places of a ranking hold an item of the query's class, without saying which item it is.

That is all that retrieval needs, and on a CPU it is found in half the time: the last bit of each
distance says whether the item is a hit, so that sorting the distances sorts the hits. Where hits
and misses lie nearer to each other than the distances are exact, the neighbours are searched.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from worker.measure.neighbours import Points, Products, nearest_neighbours, search
from worker.reporting import signs_of_life

_BLOCK: Final = 2**17
"""Distances at once: 1 MiB of float64, which stays in the cache while it is worked on."""
_MISS: Final = np.int64(1)


def ordered_hits(embeddings: Tensor, labels: Tensor, depth: int) -> Iterator[tuple[slice, Tensor]]:
    """Rank all other items for each item by Euclidean distance, as `nearest_neighbours` does, and
    find the hits.

    Args:
        embeddings: [N, D].
        labels: [N].
        depth: places of each ranking, at most N - 1.

    Yields:
        A chunk of the items, and bool [chunk, depth]: which places hold one of the item's class.
    """
    if embeddings.device.type != "cpu" or bool((embeddings == embeddings[0]).all()):
        for chunk, found in nearest_neighbours(embeddings, embeddings, depth, leave_self_out=True):
            yield chunk, labels[found] == labels[chunk, None]
        return
    # With float64 only items at the same distance remain open.
    products = Products.of(Points(embeddings, embeddings, leave_self_out=True), torch.float64)
    of_item = labels.numpy()
    rows = max(1, _BLOCK // len(labels))
    for first in range(0, len(labels), rows):
        signs_of_life.sign()
        chunk = slice(first, min(first + rows, len(labels)))
        distances, norms = products.distances(chunk)
        values = distances.numpy()
        bits = values.view(np.int64)
        bits &= ~_MISS
        bits |= of_item != of_item[chunk, None]
        nearest = np.partition(values, depth, axis=1)[:, : depth + 1]
        nearest.sort(axis=1)
        is_miss = (nearest.view(np.int64) & _MISS).astype(bool)
        bound = torch.from_numpy(np.ascontiguousarray(nearest[:, depth - 1]))
        near = np.diff(nearest, axis=1) <= products.slack(bound, norms).numpy()[:, None]
        near &= is_miss[:, 1:] != is_miss[:, :-1]
        if near.any():
            found = search(chunk, depth, products)
            yield chunk, labels[found] == labels[chunk, None]
        else:
            yield chunk, torch.from_numpy(~is_miss[:, :depth])
