"""InfoNCE over the labels of a batch; with cosine similarities, as here, also known as NT-Xent.

van den Oord, Li & Vinyals 2018 (arXiv 1807.03748); Chen et al. 2020 (arXiv 2002.05709), for an
anchor a, its positive p and the temperature t:
-log(exp(cos_ap / t) / (exp(cos_ap / t) + sum over negatives n of exp(cos_an / t))).
"""

import torch
from torch.nn import functional

from contract.comparison.loss import InfoNceLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.softmax import cosines, masked_log_sum_exp, softmax_tuples


class InfoNce(Loss):
    """InfoNCE loss, with one part, `softmax`.

    Its tuples are the ordered positive pairs (a, p) whose anchor has a negative. Other positives of
    the anchor do not compete with p.

    Args:
        spec: temperature and reduction.
    """

    def __init__(self, spec: InfoNceLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.temperature = spec.temperature

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return one tuple for each positive pair: it against all negatives of its anchor."""
        logits = cosines(batch.anchors, batch.others) / self.temperature
        competitors = masked_log_sum_exp(logits, batch.negative)
        losses = functional.softplus(competitors[:, None] - logits)
        negatives = batch.negative.sum(dim=1)
        contested = (negatives > 0)[:, None]
        return softmax_tuples(losses, batch.positive & contested, negatives + 1)
