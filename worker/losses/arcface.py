"""ArcFace: classification by angles to class weights, with a margin on the own class's angle.

Deng et al. 2019 (arXiv 1801.07698):
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
from worker.losses.softmax import check_classes, cosines, tuples_of

NEAREST: Final = 1e-7
"""How near a cosine may come to 1 or -1, where the angle has no finite gradient."""


class ArcFace(Loss):
    """One part, `softmax`; its tuples are the items, of both modalities where there are two.

    Where theta + m is beyond pi, the cosine would rise again; there cos(theta) - m sin(m) takes its
    place, which goes on falling, as in the authors' code.
    """

    def __init__(self, spec: ArcFaceLoss, *, classes: int, dim: int) -> None:
        super().__init__(spec.reduction)
        self.margin = spec.margin
        self.scale = spec.scale
        self.weights = nn.Parameter(torch.randn(classes, dim))
        """[classes, D]; only their directions count."""

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Each item against the weights of all classes."""
        points, labels = batch.items
        check_classes(labels, len(self.weights))
        near = cosines(points, self.weights).clamp(NEAREST - 1, 1 - NEAREST)
        own = functional.one_hot(labels.long(), len(self.weights)).bool()
        logits = self.scale * torch.where(own, self._beyond_margin(near), near)
        losses = functional.cross_entropy(logits, labels.long(), reduction="none")
        return tuples_of(losses, torch.ones_like(labels, dtype=torch.bool))

    def _beyond_margin(self, near: Tensor) -> Tensor:
        """cos(theta + m) for cosines of theta."""
        shifted = near * math.cos(self.margin) - (1 - near.square()).sqrt() * math.sin(self.margin)
        falling = near > math.cos(math.pi - self.margin)
        return torch.where(falling, shifted, near - self.margin * math.sin(self.margin))
