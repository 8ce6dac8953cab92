"""Contrastive loss over all pairs of a batch.

Hadsell, Chopra & LeCun 2006; in the form of arXiv 2510.02161:
sum over positive pairs of d^2 + sum over negative pairs of max(0, m - d)^2.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from contract.loss import ContrastiveLoss
from worker.losses.base import Loss, Part
from worker.losses.distances import squared_distances


class Contrastive(Loss):
    """Pull: positive pairs at any distance. Push: negative pairs nearer than the margin.

    Tuples are unordered pairs. A positive pair at distance 0 has no loss and is not active.
    """

    def __init__(self, spec: ContrastiveLoss) -> None:
        super().__init__(spec.reduction)
        self.margin = spec.margin

    def tuples(
        self, embeddings: Tensor, labels: Tensor, generator: torch.Generator | None
    ) -> tuple[dict[str, Part], Tensor]:
        """Parts `positive` and `negative`; both members of a pair are its anchors."""
        same = labels[:, None] == labels[None, :]
        pull, push, active = _Totals.apply(embeddings, same, self.margin)  # type: ignore[no-untyped-call]
        active_positive = active & same
        batch = len(labels)
        positives = (same.sum() - batch) // 2
        parts = {
            "positive": Part(pull, active_positive.sum() // 2, positives),
            "negative": Part(
                push,
                (active.sum() - active_positive.sum()) // 2,
                batch * (batch - 1) // 2 - positives,
            ),
        }
        anchors = batch if batch > 1 else 0  # any other item makes a valid pair
        return parts, active.any(dim=1).sum() / torch.tensor(float(anchors))


class _Totals(Function):
    """Both sums with their gradient in closed form, one matrix product.

    Each pair (i, j) adds 2 c_ij (e_i - e_j) to the gradient of e_i, with c = 1 for a positive pair
    and c = -(m - d) / d for an active negative one. At d = 0 the push has no direction: 0.
    """

    @staticmethod
    def forward(
        ctx: Any, embeddings: Tensor, same: Tensor, margin: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        squared = squared_distances(embeddings)
        distances = squared.sqrt()
        gap = (margin - distances).clamp_(min=0).masked_fill_(same, 0)
        pull = (squared * same).sum() / 2
        push = gap.square().sum() / 2
        active = torch.where(same, squared > 0, gap > 0)
        ctx.save_for_backward(embeddings, same, distances, gap)
        ctx.mark_non_differentiable(active)
        return pull, push, active

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
        embeddings, same, distances, gap = ctx.saved_tensors  # type: ignore[attr-defined]
        grad_pull, grad_push, _ = grads
        pushed = gap / distances.masked_fill(distances == 0, torch.inf)
        weights = torch.where(same, grad_pull, -grad_push * pushed)
        # The gradient knows differences only, so the offset may go: it would cancel badly.
        centred = embeddings - embeddings.mean(dim=0)
        return 2 * (weights.sum(dim=1, keepdim=True) * centred - weights @ centred), None, None
