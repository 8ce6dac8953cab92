"""ArcFace: classification by angles to class weights, with a margin on the true class's angle.

Deng et al. 2019 (arXiv 1801.07698), for an item of class y with the angle theta_j to the weights of
class j, the scale s and the margin m:
-log(exp(s cos(theta_y + m)) / (exp(s cos(theta_y + m)) + sum over j != y of exp(s cos theta_j))).
"""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.comparison.loss import ArcFaceLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.softmax import check_label_range, cosines, softmax_tuples

COSINE_GAP: Final = 1e-7
"""Smallest distance that cosines keep from 1 and -1, where the angle has no finite gradient."""


class ArcFace(Loss):
    """ArcFace loss over trainable class weights, with one part, `softmax`.

    Its tuples are the items of the batch, of both modalities where there are two. Beyond
    theta + m = pi the cosine would rise again; cos(theta) - m sin(m) replaces it there, which keeps
    falling, as in the authors' code.

    Args:
        spec: margin in radians, scale and reduction.
        classes: number of classes C; labels are 0 to C - 1.
        dim: size D of the embeddings.
    """

    def __init__(self, spec: ArcFaceLoss, *, classes: int, dim: int) -> None:
        super().__init__(spec.reduction, spec)
        self.margin = spec.margin
        self.scale = spec.scale
        self.weights = nn.Parameter(torch.randn(classes, dim))
        """[C, D] class weights; only their directions matter."""

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return one tuple for each item: it against the weights of all classes."""
        points, labels = batch.items
        check_label_range(labels, len(self.weights))
        near = cosines(points, self.weights).clamp(COSINE_GAP - 1, 1 - COSINE_GAP)
        own = functional.one_hot(labels.long(), len(self.weights)).bool()
        logits = self.scale * torch.where(own, self._beyond_margin(near), near)
        losses = functional.cross_entropy(logits, labels.long(), reduction="none")
        return softmax_tuples(losses, torch.ones_like(labels, dtype=torch.bool))

    def _beyond_margin(self, near: Tensor) -> Tensor:
        """Return cos(theta + m) for cosines of theta, continued as a falling line beyond pi."""
        shifted = near * math.cos(self.margin) - (1 - near.square()).sqrt() * math.sin(self.margin)
        falling = near > math.cos(math.pi - self.margin)
        return torch.where(falling, shifted, near - self.margin * math.sin(self.margin))
