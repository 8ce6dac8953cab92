"""Centre contrastive loss: each item against a bank of trainable class centres.

After Cai, Xiong & Tian 2023, Center Contrastive Loss for Metric Learning (arXiv 2308.00458), known
here from its summary only: a contrastive loss compares the items with a bank of class centres and
so reduces the variance within classes. The summary leaves the exact form open; the one used here,
for an item z of class y, centres c and the temperature t, is
-log softmax over all centres of cos(z, c) / t, plus ||z - c_y||^2 of unit vectors.
"""

import torch
from torch import nn
from torch.nn import functional

from contract.comparison.loss import CenterContrastiveLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.distances import unit_vectors
from worker.losses.softmax import check_label_range, part_and_active


class CenterContrastive(Loss):
    """Centre contrastive loss over trainable class centres, with two parts.

    Part `softmax` is each item against all centres, part `positive` its pull to the centre of its
    class. Items are those of both modalities where there are two.

    Args:
        spec: temperature and reduction.
        classes: number of classes C; labels are 0 to C - 1.
        dim: size D of the embeddings.
    """

    def __init__(self, spec: CenterContrastiveLoss, *, classes: int, dim: int) -> None:
        super().__init__(spec.reduction, spec)
        self.temperature = spec.temperature
        self.centers = nn.Parameter(torch.randn(classes, dim))
        """[C, D] class centres; only their directions matter."""

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return two tuples for each item: its softmax over the centres, and its pull."""
        items, labels = batch.items
        check_label_range(labels, len(self.centers))
        points, centers = unit_vectors(items), unit_vectors(self.centers)
        logits = points @ centers.T / self.temperature
        won = functional.cross_entropy(logits, labels.long(), reduction="none")
        pulled = (points - centers[labels]).square().sum(dim=1)
        every = torch.ones_like(labels, dtype=torch.bool)
        softmax, contested = part_and_active(won, every)
        positive, away = part_and_active(pulled, every, above=0.0)
        active_anchors = (contested | away).sum() / every.sum()
        parts = {"softmax": softmax, "positive": positive}
        return Tuples(
            won.sum() + pulled.sum(),
            parts,
            active_anchors,
            pushing_anchors=contested.sum() / every.sum(),
        )
