"""Exact nearest neighbours: by matrix products first, by differences where rounding would decide.

||q||^2 + ||g||^2 - 2 q.g is one fast product for many distances, and it cancels badly in tight
groups. So its error is bounded for each query; what the bound leaves open is settled by the sum of
the squared differences in float64, which does not cancel. Where it leaves too much open, float64
products come in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from worker.reporting import signs_of_life

CHUNK_ELEMENTS: Final = 2 * 2**20
"""Distances in memory at once: 8 MiB of float32."""
CHUNK_ROWS: Final = 4096
"""Queries in memory at once, so that a small gallery does not make chunks of millions of them."""
_PART_ELEMENTS: Final = 2**19
"""Distances searched at once; with the copies that a search makes, they stay in the cache."""
_PAIR_ELEMENTS: Final = 2**20
"""Differences in memory at once: 8 MiB of float64."""


def nearest_neighbours(
    queries: Tensor, gallery: Tensor, k: int, *, leave_self_out: bool = False
) -> Iterator[tuple[slice, Tensor]]:
    """Find the k nearest gallery items of each query by Euclidean distance, nearest first.

    Of items at the same distance the one that comes first in the gallery ranks first. Distances are
    those of the values as they are given, however far from the origin or close together.

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
    given = Points(queries.to(kind), gallery.to(kind), leave_self_out)
    rows = max(1, min(CHUNK_ROWS, CHUNK_ELEMENTS // len(gallery)))
    one_point = bool((gallery == gallery[0]).all())
    products = None if one_point else Products.of(given, kind)
    for start in range(0, len(queries), rows):
        signs_of_life.sign()
        chunk = slice(start, min(start + rows, len(queries)))
        if products is None:  # every order is a tie
            yield chunk, _first(chunk, k, given)
        else:
            yield chunk, search(chunk, k, products)


class Points(NamedTuple):
    """What a search was given, both of one type."""

    queries: Tensor
    gallery: Tensor
    leave_self_out: bool


def _first(chunk: slice, k: int, given: Points) -> Tensor:
    """Return the first k indices for each query, without the query itself where it is left out."""
    rows = torch.arange(chunk.start, chunk.stop, device=given.gallery.device)[:, None]
    columns = torch.arange(k, device=rows.device).expand(len(rows), k)
    return columns + (columns >= rows) if given.leave_self_out else columns.clone()


@dataclass(frozen=True)
class Products:
    """Points of a search, scaled and centred, so that products of them lose little.

    Distances far from the origin would cancel, and the squares of very large or very small values
    would overflow or vanish. The factor is a power of two, which causes no rounding.
    """

    given: Points
    scale: Tensor
    """Factor []."""
    offset: Tensor
    """[D], the mean of the scaled gallery."""
    gallery: Tensor
    """[N, D], scaled and centred."""
    norms: Tensor
    """[N], their squared norms."""

    @classmethod
    def of(cls, given: Points, kind: torch.dtype) -> Self:
        """Prepare the products in this type."""
        parts = given.gallery.split(CHUNK_ROWS)
        ends = torch.cat([torch.stack(part.aminmax()) for part in (given.queries, given.gallery)])
        largest = ends.to(torch.float64).abs().amax()
        exponent = torch.frexp(largest).exponent.clamp(min=-126)  # up to float32's largest power
        scale = torch.ldexp(torch.ones_like(largest), -exponent)
        total = torch.stack([part.to(torch.float64).sum(dim=0) for part in parts]).sum(dim=0)
        offset = total / len(given.gallery) * scale
        scale, offset = scale.to(kind), offset.to(kind)
        gallery = given.gallery.to(kind).mul(scale).sub_(offset)
        norms = torch.cat([part.square().sum(dim=1) for part in gallery.split(CHUNK_ROWS)])
        return cls(given, scale, offset, gallery, norms)

    @cached_property
    def in_float64(self) -> "Products":
        """The same in float64."""
        return Products.of(self.given, torch.float64)

    def distances(self, chunk: slice) -> tuple[Tensor, Tensor]:
        """Return [rows, N] squared distances less ||q||^2 of each row, and ||q||^2, [rows]."""
        asked = (
            self.gallery[chunk]
            if self.given.leave_self_out
            else self.given.queries[chunk].to(self.norms.dtype) * self.scale - self.offset
        )
        # ||q||^2 is the same for the whole row and does not change its order.
        distances = torch.addmm(self.norms, asked, self.gallery.T, alpha=-2)
        if self.given.leave_self_out:
            own = torch.arange(chunk.start, chunk.stop, device=distances.device)
            distances[own - chunk.start, own] = torch.inf
        return distances, asked.square().sum(dim=1)

    def slack(self, bound: Tensor, norms: Tensor) -> Tensor:
        """Return how far apart two computed distances of a row may lie whose true ones are equal.

        The rounding errors of a product of vectors of length D add up to about sqrt(D) u |q| |g|,
        with the rounding unit u (Higham & Mary 2019, A New Approach to Probabilistic Rounding
        Error Analysis); four times that is allowed for. A neighbour g within distance d of q has
        |g| <= |q| + d.

        Args:
            bound: [rows] the k-th smallest of the distances of `distances`.
            norms: [rows] ||q||^2.
        """
        info = torch.finfo(bound.dtype)
        near = norms.sqrt() + (bound + norms).clamp(min=0).sqrt()
        length = near.minimum(self.norms.amax().sqrt())
        size = (2 * norms.sqrt() + length) * length
        terms = 4 * self.gallery.shape[1] ** 0.5 + 8
        slack: Tensor = terms * (info.eps * size + 2 * info.tiny)
        return slack


def search(chunk: slice, k: int, products: Products) -> Tensor:
    """Return the neighbours [rows, k] of a chunk of the queries."""
    distances, norms = products.distances(chunk)
    # The search on a CPU makes copies, which should stay in its cache.
    on_cpu = distances.device.type == "cpu"
    rows = max(1, _PART_ELEMENTS // distances.shape[1]) if on_cpu else len(distances)
    few = None if distances.dtype == torch.float64 else 2 * k + 16
    found = []
    in_float64: tuple[Tensor, Tensor] | None = None
    for first in range(0, len(distances), rows):
        here = slice(first, min(first + rows, len(distances)))
        part = slice(chunk.start + here.start, chunk.start + here.stop)
        candidates = _candidates(distances[here], norms[here], k, products, few)
        if candidates is None:
            better = products.in_float64
            if in_float64 is None:  # for the whole chunk: one large product is fast, many are not
                in_float64 = better.distances(chunk)
            wide, lengths = in_float64
            candidates = _candidates(wide[here], lengths[here], k, better, None)
            assert candidates is not None  # there is no limit
        found.append(_settle(candidates, part, k, products))
    return torch.cat(found)


class _Candidates(NamedTuple):
    """For each query the items that may be among its k nearest, nearest first as computed."""

    columns: Tensor
    """[rows, M] indices; what exceeds a row's own candidates has an infinite distance."""
    distances: Tensor
    """[rows, M] as computed."""
    slack: Tensor
    """[rows] differences up to which two of them may be equal."""


def _candidates(
    distances: Tensor, norms: Tensor, k: int, products: Products, few: int | None
) -> _Candidates | None:
    """Find the candidates; None if there are more than `few` a row on average."""
    if distances.device.type == "cpu":
        # NumPy partitions and sorts with vector instructions; torch.topk takes six times as long.
        return _candidates_numpy(distances.numpy(), norms, k, products, few)
    ordered, columns = distances.sort(dim=1, stable=True)
    slack = products.slack(ordered[:, k - 1], norms)
    sizes = (ordered <= (ordered[:, k - 1] + slack)[:, None]).sum(dim=1)
    if few is not None and int(sizes.sum()) > few * len(sizes):
        return None
    most = int(sizes.max())
    return _Candidates(columns[:, :most].clone(), ordered[:, :most], slack)


def _candidates_numpy(
    values: NDArray[np.floating], norms: Tensor, k: int, products: Products, few: int | None
) -> _Candidates | None:
    rows, count = values.shape
    if k == 1:
        bound = values.min(axis=1)
    elif k < count:
        bound = np.partition(values, k - 1, axis=1)[:, k - 1]
    else:
        bound = values.max(axis=1)
    slack = products.slack(torch.from_numpy(bound), norms)
    near = values <= (bound + slack.numpy())[:, None]
    sizes = near.sum(axis=1)
    if few is not None and sizes.sum() > few * rows:
        return None
    most = int(sizes.max())
    places = np.flatnonzero(near)
    if most == sizes.min():
        columns = places.reshape(rows, most) - np.arange(rows)[:, None] * count
        found = np.take_along_axis(values, columns, axis=1)
    else:
        filled = np.arange(most) < sizes[:, None]
        columns = np.zeros((rows, most), dtype=np.int64)
        found = np.full((rows, most), np.inf, dtype=values.dtype)
        columns[filled] = places % count
        found[filled] = values.ravel()[places]
    columns, found = _sort_numpy(columns, found)
    return _Candidates(torch.from_numpy(columns), torch.from_numpy(found), slack)


def _sort_numpy(
    columns: NDArray[np.int64], values: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Sort the columns of each row by their values, equal ones by index."""
    if values.dtype == np.float64:
        order = np.argsort(values, axis=1, kind="stable")
        return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)
    # Value and column in one integer: sorting these is many times faster than argsort.
    keys = (_rising(values + np.float32(0)).astype(np.int64) << 32) | columns  # -0 becomes 0
    keys.sort(axis=1)
    ordered = _rising((keys >> 32).astype(np.int32).view(np.float32)).view(np.float32)
    return keys & 0xFFFFFFFF, ordered


def _rising(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Map float32 to integers in the same order; the map is its own inverse on the bits."""
    bits = values.view(np.int32)
    mapped: NDArray[np.int32] = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return mapped


def _settle(candidates: _Candidates, part: slice, k: int, products: Products) -> Tensor:
    """Return the k nearest of the candidates, those whose order is open by their true distances."""
    columns, distances, slack = candidates
    joined = distances.diff(dim=1) <= slack[:, None]  # each candidate with the next
    # Beyond the k-th place only those matter that may belong before it.
    joined[:, k - 1 :] = joined[:, k - 1 :].to(torch.uint8).cumprod(dim=1).to(torch.bool)
    is_open = functional.pad(joined, (1, 0)) | functional.pad(joined, (0, 1))
    rows, places = is_open.nonzero(as_tuple=True)
    if len(rows):
        runs = functional.pad((~joined).cumsum(dim=1), (1, 0))
        run = rows * columns.shape[1] + runs[rows, places]
        column = columns[rows, places]
        true = _true_distances(rows + part.start, column, products)
        # By run, then by distance, then by index: stable sorts from the last key to the first.
        order = column.argsort(stable=True)
        order = order[true[order].argsort(stable=True)]
        order = order[run[order].argsort(stable=True)]
        columns[rows, places] = column[order]
    return columns[:, :k]


def _true_distances(rows: Tensor, columns: Tensor, products: Products) -> Tensor:
    """Return the scaled squared distances [P] of queries and gallery items, by differences."""
    queries, gallery = products.given.queries, products.given.gallery
    scale = products.scale.to(torch.float64)
    at_once = max(1, _PAIR_ELEMENTS // gallery.shape[1])
    found = [
        (gallery[column].to(torch.float64) * scale)
        .sub_(queries[row].to(torch.float64) * scale)
        .square_()
        .sum(dim=1)
        for row, column in zip(rows.split(at_once), columns.split(at_once), strict=True)
    ]
    return torch.cat(found)
