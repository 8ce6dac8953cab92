"""Distances between the anchors of a batch and the others, with a gradient in closed form."""

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

from contract.comparison.loss import Distance
from worker.losses.batch import Batch

MARGIN_TOLERANCE: Final = {torch.float32: 1e-6, torch.float64: 1e-12}
"""A tuple within this share of the distance that its loss asks for is not active: one exactly at
the margin would otherwise be active or not by rounding."""
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
    squared: Tensor
    """[B, M] squared Euclidean distances s of the points above; without gradient."""
    compared: Tensor
    """[B, M] the distances that a loss compares: s, or 1 - cos = s / 2 for the cosine distance;
    without gradient."""

    def with_gradient(self, total: Tensor, slopes: Tensor) -> Tensor:
        """Make a total differentiable whose derivative by each squared distance s is known.

        Args:
            total: 0-d.
            slopes: [B, M] derivatives by s; where a batch is compared with itself those of its
                unordered pairs, so a symmetric matrix.

        Returns:
            The total, NaN if a point is not finite. Its gradient by the points takes one matrix
            product.
        """
        result: Tensor = _TotalWithGradient.apply(  # type: ignore[no-untyped-call]
            self.anchors, None if self.against_itself else self.others, total, slopes
        )
        return result


def batch_distances(batch: Batch, distance: Distance) -> BatchDistances:
    """Compute the distances of a batch. A vector without direction has a cosine of 0 with all."""
    anchors, others = batch.anchors, batch.others
    if distance == "cosine":
        anchors = unit_vectors(anchors)
        others = anchors if batch.against_itself else unit_vectors(others)
    with torch.no_grad():
        squared = squared_distances(anchors, None if batch.against_itself else others)
        compared = squared
        if distance == "cosine":
            # 1 - cos of unit vectors as s / 2, which does not cancel for near ones. A vector
            # without direction has become 0, which is at s = 1 from all unit vectors.
            lacking = (1 - anchors.square().sum(dim=1)).round()
            other_lacking = (1 - others.square().sum(dim=1)).round()
            compared = (lacking[:, None] + other_lacking[None, :]).add_(squared).mul_(0.5)
            if batch.against_itself:
                compared.fill_diagonal_(0)
    return BatchDistances(distance, anchors, others, batch.against_itself, squared, compared)


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
    if others is None:
        centred = anchors - anchors.mean(dim=0)
        products = centred @ centred.T
        norms = products.diagonal()
        # Both norms first: so rounding is the same for (i, j) and (j, i), and the distance of
        # duplicates is exactly 0.
        distances = (norms[:, None] + norms[None, :]).sub_(products, alpha=2)
        return distances.clamp_(min=0).fill_diagonal_(0)
    middle = torch.cat((anchors, others)).mean(dim=0)
    anchors, others = anchors - middle, others - middle
    distances = anchors.square().sum(dim=1)[:, None] + others.square().sum(dim=1)[None, :]
    return distances.sub_(anchors @ others.T, alpha=2).clamp_(min=0)


class _TotalWithGradient(Function):
    """Pass a total on with a known gradient: slope c_ij adds 2 c_ij (a_i - o_j) to the gradient of
    a_i, and its negative to that of o_j."""

    @staticmethod
    def forward(
        ctx: Any, anchors: Tensor, others: Tensor | None, total: Tensor, slopes: Tensor
    ) -> Tensor:
        ctx.save_for_backward(anchors, others, slopes)
        # A point that is not finite makes the total NaN, also where it is in no tuple.
        return total + 0 * (anchors.sum() if others is None else anchors.sum() + others.sum())

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        anchors, others, slopes = ctx.saved_tensors  # type: ignore[attr-defined]
        doubled = 2 * grads[0]
        # The gradient depends on differences only, so an offset, which would cancel badly, is
        # subtracted.
        if others is None:
            return (
                doubled * _weighted_differences(slopes, anchors - anchors.mean(dim=0)),
                None,
                None,
                None,
            )
        middle = others.mean(dim=0)
        anchors, others = anchors - middle, others - middle
        to_anchors, to_others, *_ = ctx.needs_input_grad  # type: ignore[attr-defined]
        return (
            doubled * _weighted_differences(slopes, anchors, others) if to_anchors else None,
            doubled * _weighted_differences(slopes.T, others, anchors) if to_others else None,
            None,
            None,
        )


def _weighted_differences(slopes: Tensor, points: Tensor, others: Tensor | None = None) -> Tensor:
    """Return the sum over j of c_ij (p_i - o_j), [N, D]."""
    others = points if others is None else others
    return (slopes.sum(dim=1, keepdim=True) * points).sub_(slopes @ others)
