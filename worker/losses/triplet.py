"""Triplet loss over all triplets of a batch, exactly, without listing one.

Schroff, Kalenichenko & Philbin 2015; in the form of arXiv 2510.02161:
sum over valid (a, p, n) of max(0, s_ap - s_an + m), s the squared distance.

With D the squared distances, everything follows from one integer matrix W [B, B]: at a positive
(a, p) the number of negatives n with D_an < D_ap + m, at a negative (a, n) minus the number of
positives p for which that holds. The active triplets are the sum of W over the positives,
the loss is <W, D> + m * active, and dL/dD = W. Memory is O(B^2), where listing needs O(B^3).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from contract.loss import TripletLoss
from worker.losses.base import Loss, Part
from worker.losses.distances import squared_distances
from worker.losses.triplet_weights import triplet_weights


class Triplet(Loss):
    """One part, `triplet`; a triplet is valid if a and p share a class, n does not, and a != p."""

    def __init__(self, spec: TripletLoss) -> None:
        super().__init__(spec.reduction)
        self.margin = spec.margin

    def tuples(
        self, embeddings: Tensor, labels: Tensor, generator: torch.Generator | None
    ) -> tuple[dict[str, Part], Tensor]:
        """Part `triplet`; an anchor is active if one of its triplets is."""
        total, active = _Total.apply(embeddings, labels, self.margin)  # type: ignore[no-untyped-call]
        _, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
        members = sizes[classes]
        valid = (members - 1) * (len(labels) - members)  # of each anchor
        part = Part(total, active.sum(), valid.sum())
        return {"triplet": part}, (active > 0).sum() / (valid > 0).sum()


class _Total(Function):
    """The sum over all triplets, and the number of active ones of each anchor."""

    @staticmethod
    def forward(
        ctx: Any, embeddings: Tensor, labels: Tensor, margin: float
    ) -> tuple[Tensor, Tensor]:
        squared = squared_distances(embeddings)
        weights = triplet_weights(squared, labels, margin)
        active = weights.clamp(min=0).sum(dim=1).to(torch.int64)
        # In the distances' type: times an integer tensor, the margin would become a float32.
        total = (weights * squared).sum() + margin * active.sum().to(squared.dtype)
        ctx.save_for_backward(embeddings, weights)
        ctx.mark_non_differentiable(active)
        return total, active

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
        embeddings, weights = ctx.saved_tensors  # type: ignore[attr-defined]
        both = weights + weights.T
        centred = embeddings - embeddings.mean(dim=0)
        gradient = 2 * (both.sum(dim=1, keepdim=True) * centred - both @ centred)
        return grads[0] * gradient, None, None
