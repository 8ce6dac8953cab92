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
        pull, push, pulled, pushed = _Totals.apply(embeddings, same, self.margin)  # type: ignore[no-untyped-call]
        batch = len(labels)
        positives = (same.sum() - batch) // 2
        parts = {
            "positive": Part(pull, pulled.sum() // 2, positives),
            "negative": Part(push, pushed.sum() // 2, batch * (batch - 1) // 2 - positives),
        }
        anchors = batch if batch > 1 else 0  # any other item makes a valid pair
        return parts, (pulled + pushed > 0).sum() / torch.tensor(float(anchors))


class _Totals(Function):
    """Both sums with their gradient in closed form, one matrix product.

    Each pair (i, j) adds 2 c_ij (e_i - e_j) to the gradient of e_i, with c = 1 for a positive pair
    and c = -(m - d) / d for an active negative one. At d = 0 the push has no direction: 0.
    """

    @staticmethod
    def forward(
        ctx: Any, embeddings: Tensor, same: Tensor, margin: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Both sums, and of each item how many active pairs of either kind it is in."""
        pulls = squared_distances(embeddings)
        distances = pulls.sqrt()
        gap = (margin - distances).clamp_(min=0).masked_fill_(same, 0)
        slope = gap / distances.masked_fill_(distances == 0, torch.inf)
        pulls *= same
        pushes = gap.square_()
        pull, push = pulls.sum() / 2, pushes.sum() / 2
        # In place, which saves the time of new matrices; by row, for its count is exact in float32.
        pulled = pulls.gt_(0).sum(dim=1).to(torch.int64)
        pushed = pushes.gt_(0).sum(dim=1).to(torch.int64)
        ctx.save_for_backward(embeddings, same, slope)
        ctx.mark_non_differentiable(pulled, pushed)
        return pull, push, pulled, pushed

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
        embeddings, same, slope = ctx.saved_tensors  # type: ignore[attr-defined]
        grad_pull, grad_push, *_ = grads
        weights = (slope * -grad_push).masked_fill_(same, grad_pull)
        # The gradient knows differences only, so the offset may go: it would cancel badly.
        centred = embeddings - embeddings.mean(dim=0)
        return 2 * (weights.sum(dim=1, keepdim=True) * centred - weights @ centred), None, None
