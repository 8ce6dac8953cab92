"""Supervised contrastive loss, with the sum over positives outside the logarithm.

Khosla et al. 2020 (arXiv 2004.11362), L_out, for an anchor a with the positives P_a and the
temperature t:
-1 / |P_a| * sum over p in P_a of log(exp(cos_ap / t) / sum over x != a of exp(cos_ax / t)).
"""

import torch

from contract.comparison.loss import SupConLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.softmax import cosines, masked_log_sum_exp, softmax_tuples


class SupCon(Loss):
    """Supervised contrastive loss, with one part, `softmax`.

    Its tuples are the anchors with a positive. All other items of the batch compete, the other
    positives too, so with several positives the loss never reaches 0.

    Args:
        spec: temperature and reduction.
    """

    def __init__(self, spec: SupConLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.temperature = spec.temperature

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return one tuple for each anchor with its positives."""
        logits = cosines(batch.anchors, batch.others) / self.temperature
        candidates = batch.positive | batch.negative  # all except the anchor itself
        positives = batch.positive.sum(dim=1)
        won = torch.where(batch.positive, logits, 0).sum(dim=1) / positives.clamp(min=1)
        losses = masked_log_sum_exp(logits, candidates) - won
        count = len(batch.others) - batch.against_itself
        return softmax_tuples(losses, positives > 0, count)
