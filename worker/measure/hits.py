"""Which places of a ranking hold an item of the query's class, without saying which item it is.

That is all that retrieval needs, and for few items on a CPU it is found in half the time: the last
bit of each distance says whether the item is a hit, so that sorting the distances sorts the hits.
The distances are sums in float64, sorted as float32; a query is sorted again in float64 where a hit
and a miss are nearer to each other than float32 tells apart, and its neighbours are searched where
float64 does not tell them apart either.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.measure.neighbours import Points, Products, nearest_neighbours, search
from worker.reporting import signs_of_life

MOST_ITEMS: Final = 600
"""Items up to which it is faster; beyond that the products in float64 take longer."""
_BLOCK: Final = 2**17
"""Distances at once: 1 MiB of float64, which stays in the cache while it is worked on."""
_INTEGERS: Final[dict[type, type]] = {np.float32: np.int32, np.float64: np.int64}
_UNITS: Final = 4
"""Units in the last place that rounding and the last bit may move two distances to each other."""


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
    few = embeddings.device.type == "cpu" and len(embeddings) <= MOST_ITEMS
    if not few or bool((embeddings == embeddings[0]).all()):  # every order is a tie
        for chunk, found in nearest_neighbours(embeddings, embeddings, depth, leave_self_out=True):
            yield chunk, labels[found] == labels[chunk, None]
        return
    products = Products.of(Points(embeddings, embeddings, leave_self_out=True), torch.float64)
    of_item = labels.numpy()
    rows = max(1, _BLOCK // len(labels))
    for first in range(0, len(labels), rows):
        signs_of_life.sign()
        chunk = slice(first, min(first + rows, len(labels)))
        distances, norms = products.distances(chunk)
        distances += norms[:, None]
        squared = distances.clamp_(min=0).numpy()
        misses = of_item != of_item[chunk, None]
        ranking = _Ranking.of(squared.astype(np.float32), misses, depth)
        hits = ranking.hits
        is_open = ranking.is_open(products, norms)
        if is_open.any():
            ranking = _Ranking.of(squared[is_open], misses[is_open], depth)
            hits[is_open] = ranking.hits
            if ranking.is_open(products, norms[torch.from_numpy(is_open)]).any():
                found = search(chunk, depth, products)
                yield chunk, labels[found] == labels[chunk, None]
                continue
        yield chunk, torch.from_numpy(hits)


class _Ranking(NamedTuple):
    """The nearest items of some queries, in order."""

    keys: NDArray[np.signedinteger[Any]]
    """[Q, depth + 1] squared distances as integers, in the same order; odd where it is a miss."""
    kind: type[np.floating[Any]]
    """Type of the distances."""

    @classmethod
    def of(
        cls, squared: NDArray[np.floating[Any]], misses: NDArray[np.bool_], depth: int
    ) -> "_Ranking":
        """Rank items by squared distances [Q, N], which are overwritten."""
        keys: NDArray[np.signedinteger[Any]] = squared.view(_INTEGERS[squared.dtype.type])
        keys &= -2
        keys |= misses
        keys.partition(depth, axis=1)
        nearest = keys[:, : depth + 1].copy()
        nearest.sort(axis=1)
        return cls(nearest, squared.dtype.type)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """[Q, depth] which places hold a hit."""
        hits: NDArray[np.bool_] = (self.keys[:, :-1] & 1) == 0
        return hits

    def is_open(self, products: Products, norms: Tensor) -> NDArray[np.bool_]:
        """Return [Q] for which queries a hit and a miss may have changed places by rounding."""
        squared = torch.from_numpy(self.keys.view(self.kind)).to(torch.float64)
        slack = products.slack(squared[:, -2] - norms, norms).numpy()[:, None]
        apart = np.diff(self.keys)
        near = np.logical_or(apart <= _UNITS, np.diff(squared.numpy()) <= slack)
        mixed = (apart & 1).astype(bool)
        mixed[:, -1] = True  # whatever lies beyond the last place may be a hit or a miss
        is_open: NDArray[np.bool_] = np.logical_and(near, mixed).any(axis=1)
        return is_open
