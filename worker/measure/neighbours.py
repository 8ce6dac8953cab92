"""Exact nearest neighbours by matrix products, computed for a chunk of queries at a time."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.reporting import signs_of_life

CHUNK_ELEMENTS: Final = 2 * 2**20
"""Distances in memory at once: 8 MiB of float32."""
CHUNK_ROWS: Final = 4096
"""Queries in memory at once, so that a small gallery does not make chunks of millions of them."""
_PART_ELEMENTS: Final = 2**18
"""Distances searched at once; with the copies that a search makes, they stay in the cache."""


def nearest_neighbours(
    queries: Tensor, gallery: Tensor, k: int, *, leave_self_out: bool = False
) -> Iterator[tuple[slice, Tensor]]:
    """Find the k nearest gallery items of each query by Euclidean distance, nearest first.

    Of items at the same distance, as computed, the one that comes first in the gallery ranks first,
    so a ranking is always the same.

    Args:
        queries: [Q, D].
        gallery: [N, D].
        k: at most N, or N - 1 where the query itself is left out.
        leave_self_out: whether the gallery is the queries and no item is its own neighbour. Items
            are left out by index, not by distance: a duplicate of a query may be its neighbour.

    Yields:
        A chunk of the queries, and the indices of their neighbours [chunk, k].
    """
    kind = torch.promote_types(queries.dtype, gallery.dtype)
    scale, offset = _scale_and_offset(queries, gallery)
    scale, offset = scale.to(kind), offset.to(kind)
    gallery = gallery.to(kind).mul(scale).sub_(offset)
    norms = torch.cat([part.square().sum(dim=1) for part in gallery.split(CHUNK_ROWS)])
    rows = max(1, min(CHUNK_ROWS, CHUNK_ELEMENTS // len(gallery)))
    distances = norms.new_empty(min(rows, len(queries)), len(gallery))
    for start in range(0, len(queries), rows):
        signs_of_life.sign()
        chunk = slice(start, min(start + rows, len(queries)))
        asked = gallery[chunk] if leave_self_out else queries[chunk].to(kind) * scale - offset
        # ||q||^2 is the same for the whole row and does not change its order.
        distances = distances[: len(asked)]
        torch.addmm(norms, asked, gallery.T, alpha=-2, out=distances)
        if leave_self_out:
            own = torch.arange(chunk.start, chunk.stop, device=queries.device)
            distances[own - chunk.start, own] = torch.inf
        yield chunk, _smallest_columns(distances, k)


def _scale_and_offset(queries: Tensor, gallery: Tensor) -> tuple[Tensor, Tensor]:
    """Return a factor [] and an offset [D], the scaled mean of the gallery, that make distances
    safe to compute.

    Distances far from the origin would cancel badly, and the squares of very large or very small
    values would overflow or vanish. The factor is a power of two, which causes no rounding.
    """
    ends = torch.cat([torch.stack(part.aminmax()) for part in (queries, gallery)])
    largest = ends.to(torch.float64).abs().amax()
    exponent = torch.frexp(largest).exponent.clamp(min=-126)  # up to float32's largest power
    scale = torch.ldexp(torch.ones_like(largest), -exponent)
    parts = [part.to(torch.float64).sum(dim=0) for part in gallery.split(CHUNK_ROWS)]
    return scale, torch.stack(parts).sum(dim=0) / len(gallery) * scale


def _smallest_columns(distances: Tensor, k: int) -> Tensor:
    """Return the columns of the k smallest values of each row [rows, N], in order; of equal values
    the first."""
    if distances.device.type != "cpu":
        return distances.sort(dim=1, stable=True).indices[:, :k]
    # NumPy partitions and sorts with vector instructions; torch.topk takes up to six times as long.
    rows = max(1, _PART_ELEMENTS // distances.shape[1])
    parts = [_smallest_columns_numpy(part.numpy(), k) for part in distances.split(rows)]
    return torch.from_numpy(np.concatenate(parts))


def _smallest_columns_numpy(values: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    rows, count = values.shape
    if k == 1:
        first: NDArray[np.int64] = values.argmin(axis=1)[:, None]
        return first
    near = np.ones(values.shape, dtype=bool)
    if k < count:
        bound = np.partition(values, k - 1, axis=1)[:, k - 1 : k]
        np.less_equal(values, bound, out=near)
        surplus = near.sum(axis=1) - k
        for row in np.flatnonzero(surplus):  # of the values at the bound the last are dropped
            near[row, np.flatnonzero(values[row] == bound[row])[-surplus[row] :]] = False
    places = np.flatnonzero(near).reshape(rows, k) - np.arange(rows)[:, None] * count
    found = np.take_along_axis(values, places, axis=1)
    if found.dtype == np.float64:
        order = np.argsort(found, axis=1, kind="stable")
        return np.take_along_axis(places, order, axis=1)
    # Value and column in one integer: sorting these is many times faster than argsort.
    bits = (found + np.float32(0)).view(np.int32)  # -0 becomes 0
    rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # integers in the order of the values
    keys = (rising.astype(np.int64) << 32) | places
    keys.sort(axis=1)
    result: NDArray[np.int64] = keys & 0xFFFFFFFF
    return result
