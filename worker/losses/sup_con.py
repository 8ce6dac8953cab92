"""Supervised contrastive loss, with the sum over positives outside the logarithm.

Khosla et al. 2020 (arXiv 2004.11362), L_out:
-1 / |P_a| * sum over p in P_a of log(exp(cos_ap / t) / sum over x != a of exp(cos_ax / t)).
"""

import torch

from contract.comparison.loss import SupConLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.softmax import cosines, log_sum_exp, tuples_of


class SupCon(Loss):
    """One part, `softmax`; its tuples are the anchors with a positive. All others of the batch
    compete, the other positives among them, so with several positives it never reaches 0."""

    def __init__(self, spec: SupConLoss) -> None:
        super().__init__(spec.reduction)
        self.temperature = spec.temperature

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Each anchor with all its positives."""
        logits = cosines(batch.anchors, batch.others) / self.temperature
        candidates = batch.positive | batch.negative  # all but the anchor itself
        positives = batch.positive.sum(dim=1)
        won = torch.where(batch.positive, logits, 0).sum(dim=1) / positives.clamp(min=1)
        return tuples_of(log_sum_exp(logits, candidates) - won, positives > 0)
