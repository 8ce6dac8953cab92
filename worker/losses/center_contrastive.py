"""Centre contrastive loss: each item against a bank of trainable class centres.

After Cai, Xiong & Tian 2023, Center Contrastive Loss for Metric Learning (arXiv 2308.00458), read
second-hand: its summary describes a bank of class centres that are compared with the items by a
contrastive loss, and that reduces the variance within classes. What it leaves open is decided here:
-log softmax over all centres of cos(z, c) / t, plus ||z - c_y||^2 of unit vectors.
"""

import torch
from torch import nn
from torch.nn import functional

from contract.comparison.loss import CenterContrastiveLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.distances import unit
from worker.losses.softmax import check_classes, part_of


class CenterContrastive(Loss):
    """Parts `softmax`, each item against the centres, and `positive`, its pull to its own; the
    items of both modalities where there are two."""

    def __init__(self, spec: CenterContrastiveLoss, *, classes: int, dim: int) -> None:
        super().__init__(spec.reduction)
        self.temperature = spec.temperature
        self.centers = nn.Parameter(torch.randn(classes, dim))
        """[classes, D]; only their directions count."""

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Each item twice: in the softmax, and pulled to its own centre."""
        items, labels = batch.items
        check_classes(labels, len(self.centers))
        points, centers = unit(items), unit(self.centers)
        logits = points @ centers.T / self.temperature
        won = functional.cross_entropy(logits, labels.long(), reduction="none")
        pulled = (points - centers[labels]).square().sum(dim=1)
        every = torch.ones_like(labels, dtype=torch.bool)
        softmax, contested = part_of(won, every)
        positive, away = part_of(pulled, every, above=0.0)
        active_anchors = (contested | away).sum() / every.sum()
        parts = {"softmax": softmax, "positive": positive}
        return Tuples(won.sum() + pulled.sum(), parts, active_anchors)
