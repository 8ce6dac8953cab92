"""Losses of given tuples that rank cosines: InfoNCE over in-batch negatives, and CoSENT."""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.loss import CosentLoss, InfoNceLoss
from worker.losses.base import Tuples
from worker.losses.distances import unit_vectors
from worker.losses.given.base import TupleLoss
from worker.losses.given.batch import TupleBatch
from worker.losses.softmax import masked_log_sum_exp, part_and_active, softmax_tuples


class GivenInfoNce(TupleLoss):
    """InfoNCE: each pair against all candidates of other groups, one part, `softmax`.

    Candidates are the positives of all tuples of the batch and, of triplets, their negatives.
    Henderson et al. 2017 (arXiv 1705.00652) rank the positive among those of a batch; here items of
    the anchor's group are left out.

    Args:
        spec: temperature and reduction.
    """

    def __init__(self, spec: InfoNceLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.temperature = spec.temperature

    def tuples(self, batch: TupleBatch) -> Tuples:
        """Return one tuple for each pair whose anchor has a negative."""
        points = unit_vectors(batch.points)
        anchors = points[batch.anchors]
        logits = anchors @ points[batch.candidates].T / self.temperature
        own = (anchors * points[batch.positives]).sum(dim=1) / self.temperature
        competitors = masked_log_sum_exp(logits, batch.negatives)
        negatives = batch.negatives.sum(dim=1)
        losses = functional.softplus(competitors - own)
        found = softmax_tuples(losses[:, None], (negatives > 0)[:, None], negatives + 1)
        return replace(found, false_negatives=batch.false_negatives)


class Cosent(TupleLoss):
    """CoSENT: the cosines of pairs are to have the order of their scores, one part, `comparison`.

    Its tuples are comparisons of two pairs k and l of the batch, k with the higher score, or with
    the label same where l is different. The loss is log(1 + sum over comparisons of
    exp(scale (cos_l - cos_k))). What is told of a comparison, its loss and whether it is active, is
    of that comparison alone: log(1 + exp(scale (cos_l - cos_k))).

    Su 2022, https://kexue.fm/archives/8847.

    Args:
        spec: scale.
    """

    def __init__(self, spec: CosentLoss) -> None:
        super().__init__("balanced", spec)  # it weights its tuples itself
        self.scale = spec.scale

    def tuples(self, batch: TupleBatch) -> Tuples:
        """Return the comparisons of the batch; a pair counts as an anchor."""
        points = unit_vectors(batch.points)
        cosines = (points[batch.anchors] * points[batch.positives]).sum(dim=1)
        scores = batch.same if batch.scores is None else batch.scores
        assert scores is not None, "labels or scores, as checked"
        higher = scores.to(torch.float64)
        valid = higher[:, None] > higher
        gaps = self.scale * (cosines[None, :] - cosines[:, None])
        with torch.no_grad():
            losses = torch.where(valid, functional.softplus(gaps), 0)
            part, active = part_and_active(losses, valid)
            judged = valid.any(dim=1) | valid.any(dim=0)
            anchors = (active.any(dim=1) | active.any(dim=0)).sum() / judged.sum()
        return Tuples(
            _log_of_one_and(gaps, valid),
            {"comparison": part},
            anchors,
            trivial=part.valid.to(gaps.dtype) * math.log(2),
        )


def _log_of_one_and(gaps: Tensor, valid: Tensor) -> Tensor:
    """Return log(1 + sum of exp over the valid gaps), a differentiable 0 without any."""
    kept = gaps.masked_fill(~valid, -torch.inf).flatten()
    return torch.cat((kept.new_zeros(1), kept)).logsumexp(dim=0) + 0 * gaps.sum()
