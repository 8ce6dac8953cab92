"""Distances between the anchors of a batch and the others, with a gradient in closed form."""

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from contract.comparison.loss import Distance
from worker.losses.batch import Batch
from worker.losses.forms import is_small, row_blocks

Array: TypeAlias = NDArray[np.floating]

MARGIN_TOLERANCE: Final = {torch.float32: 1e-6, torch.float64: 1e-12}
"""A tuple within this share of the distance that its loss asks for is not active: one exactly at
the margin would otherwise be active or not by rounding."""
QUIET: Final = np.errstate(all="ignore")
"""Keeps NumPy from warning in the functions that it decorates: what is not finite makes the value
NaN, and a run reports that."""
ZERO_NORM: Final = 1e-12
"""Vectors shorter than this are taken to have no direction."""


@dataclass(frozen=True)
class BatchDistances:
    """The points of a batch and all distances between anchors and others."""

    distance: Distance
    anchors: Tensor
    """[B, D], differentiable; unit vectors for the cosine distance."""
    others: Tensor
    """[M, D], likewise; the anchors themselves where `against_itself` is set."""
    against_itself: bool
    """Whether the batch is compared with itself."""
    compared: Tensor
    """[B, M] the distances that a loss compares, without gradient: squared Euclidean distances s of
    the points above, or 1 - cos = s / 2 for the cosine distance. A loss may overwrite them."""
    centred: tuple[Tensor, ...]
    """Anchors [B, D] and others [M, D] less their common mean, without gradient; the same tensor
    twice where `against_itself` is set."""
    zero: Tensor | None
    """0-d 0, or NaN where a point is not finite; None where all are known to be finite."""

    def with_gradient(self, total: Tensor, slopes: Tensor, divisor: Tensor | float = 1) -> Tensor:
        """Make a total differentiable whose derivative by each squared distance s is known.

        Args:
            total: 0-d.
            slopes: [B, M] derivatives by s; where a batch is compared with itself those of its
                unordered pairs, so a symmetric matrix.
            divisor: number that the total is divided by, 0-d if it is a tensor.

        Returns:
            The total over the divisor, NaN if a point is not finite. Its gradient by the points
            takes one matrix product.
        """
        result: Tensor = _TotalWithGradient.apply(  # type: ignore[no-untyped-call]
            self.anchors,
            None if self.against_itself else self.others,
            total if self.zero is None else total + self.zero,
            (*self.centred, slopes, divisor),
        )
        return result


def batch_distances(batch: Batch, distance: Distance) -> BatchDistances:
    """Compute the distances of a batch. A vector without direction has a cosine of 0 with all."""
    anchors, others = batch.anchors, batch.others
    if distance == "cosine":
        anchors = unit_vectors(anchors)
        others = anchors if batch.against_itself else unit_vectors(others)
    with torch.no_grad():
        middle, *centred = _centred(anchors, None if batch.against_itself else others)
        zero: Tensor | None = None
        if not is_small(anchors, others):
            zero = 0 * middle.sum()
        elif not math.isfinite(middle.sum()):
            zero = middle.new_tensor(torch.nan)
        compared = _squared_distances(*centred)
        if distance == "cosine":
            # 1 - cos of unit vectors as s / 2, which does not cancel for near ones. A vector
            # without direction has become 0, which is at s = 1 from all unit vectors.
            lacking = (1 - anchors.square().sum(dim=1)).round()
            other_lacking = (1 - others.square().sum(dim=1)).round()
            for here in row_blocks(compared):
                both = lacking[here, None] + other_lacking
                torch.add(both, compared[here], out=compared[here])
            compared *= 0.5
            if batch.against_itself:
                compared.fill_diagonal_(0)
    itself = batch.against_itself
    return BatchDistances(distance, anchors, others, itself, compared, (*centred,), zero)


def unit_vectors(points: Tensor) -> Tensor:
    """Scale points [N, D] to length 1, differentiable; one without direction becomes 0, without
    gradient."""
    directed = torch.linalg.vector_norm(points.detach(), dim=1, keepdim=True) >= ZERO_NORM
    lost = ~directed & points.detach().isfinite().all(dim=1, keepdim=True)
    return functional.normalize(points, dim=1, eps=ZERO_NORM).masked_fill(lost, 0)


def squared_distances(anchors: Tensor, others: Tensor | None = None) -> Tensor:
    """Return squared Euclidean distances [B, M] of points [B, D] to others [M, D].

    Without others the distances are those between the points themselves: symmetric, zero on the
    diagonal.

    The mean is subtracted first, because ||a||^2 + ||b||^2 - 2ab cancels badly far from the origin:
    in float32 an offset of 30 would cost 2e-4.
    """
    return _squared_distances(*_centred(anchors, others)[1:])


@QUIET
def _centred(anchors: Tensor, others: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean of all points [D], and anchors and others less it; without others the anchors
    twice."""
    if others is not None:
        middle = torch.cat((anchors, others)).mean(dim=0)
        return middle, anchors - middle, others - middle
    if is_small(anchors, anchors):
        array = anchors.detach().numpy()
        mean = np.add.reduce(array, axis=0)
        mean /= len(array)
        centred = torch.from_numpy(array - mean)
        return torch.from_numpy(mean), centred, centred
    middle = anchors.mean(dim=0)
    centred = anchors - middle
    return middle, centred, centred


@QUIET
def _squared_distances(anchors: Tensor, others: Tensor) -> Tensor:
    """Return the squared distances of centred points; of points to themselves if both are one
    tensor."""
    distances = anchors @ others.T
    itself = anchors is others
    # Both norms first: so rounding is the same for (i, j) and (j, i), and the distance of
    # duplicates is exactly 0.
    if itself:
        norms = other_norms = distances.diagonal()
    else:
        norms, other_norms = anchors.square().sum(dim=1), others.square().sum(dim=1)
    if is_small(anchors, others):
        products = distances.numpy()
        both = norms.numpy()[:, None] + other_norms.numpy()
        products *= 2
        np.subtract(both, products, out=products)
        np.maximum(products, 0, out=products)
        if itself:
            products.reshape(-1)[:: len(products) + 1] = 0
        return distances
    norms = norms.clone()  # the diagonal is overwritten
    other_norms = norms if itself else other_norms
    for here in row_blocks(distances):
        both = norms[here, None] + other_norms
        torch.sub(both, distances[here], alpha=2, out=distances[here])
    distances.clamp_(min=0)
    return distances.fill_diagonal_(0) if itself else distances


class _TotalWithGradient(Function):
    """Pass a total on, over a divisor, with a known gradient: slope c_ij adds 2 c_ij (a_i - o_j) to
    the gradient of a_i, and its negative to that of o_j."""

    @staticmethod
    def forward(
        ctx: Any,
        _anchors: Tensor,
        _others: Tensor | None,
        total: Tensor,
        known: tuple[Tensor, Tensor, Tensor, Tensor | float],
    ) -> Tensor:
        # The gradient depends on differences only, so that by centred points is the same; an offset
        # would cancel badly.
        *matrices, divisor = known
        ctx.save_for_backward(*matrices)
        ctx.divisor = divisor
        return total / divisor

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        anchors, others, slopes = ctx.saved_tensors
        doubled = 2 * grads[0] / ctx.divisor
        to_anchors, to_others, *_ = ctx.needs_input_grad
        return (
            _weighted_differences(slopes, anchors, others).mul_(doubled) if to_anchors else None,
            _weighted_differences(slopes.T, others, anchors).mul_(doubled) if to_others else None,
            None,
            None,
        )


def _weighted_differences(slopes: Tensor, points: Tensor, others: Tensor) -> Tensor:
    """Return the sum over j of c_ij (p_i - o_j), [N, D]."""
    return torch.addmm(slopes.sum(dim=1, keepdim=True) * points, slopes, others, alpha=-1)
