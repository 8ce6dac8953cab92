"""Contrastive and triplet loss of tuples that the data give.

Both have the formulas of `worker.losses.contrastive` and `worker.losses.triplet`. Of pairs, whose
negatives are not given, each other candidate of the batch is one that is not of the anchor's group.
"""

import torch
from torch import Tensor

from contract.comparison.loss import ContrastiveLoss, TripletLoss
from worker.losses.base import Part, Tuples
from worker.losses.distances import MARGIN_TOLERANCE
from worker.losses.given.base import TupleLoss
from worker.losses.given.batch import TupleBatch, all_distances, root, row_distances


class GivenContrastive(TupleLoss):
    """Contrastive loss: pull the positive pairs together, push the negative ones to the margin.

    Positive pairs are anchors with their positives, or the labelled pairs that belong together.
    Negative ones are anchors with their negatives, the other labelled pairs, or of mere pairs each
    anchor with every candidate of another group.

    Args:
        spec: margins, hinge, distance, reduction and pull weight.
    """

    def __init__(self, spec: ContrastiveLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.spec = spec

    def tuples(self, batch: TupleBatch) -> Tuples:
        """Return the pairs of the batch."""
        spec, rows = self.spec, torch.ones_like(batch.anchors, dtype=torch.bool)
        pairs = self._lengths(
            row_distances(batch.points, batch.anchors, batch.positives, spec.distance)
        )
        pulled = rows if batch.same is None else batch.same
        if batch.shape == "pairs":
            apart = self._lengths(
                all_distances(batch.points, batch.anchors, batch.candidates, spec.distance)
            )
            pushed = batch.negatives
        elif batch.shape == "triplets":
            negatives = batch.places[:, 2]
            apart = self._lengths(
                row_distances(batch.points, batch.anchors, negatives, spec.distance)
            )[:, None]
            pushed = (batch.groups[batch.anchors] != batch.groups[negatives])[:, None]
        else:
            apart, pushed = pairs[:, None], ~pulled[:, None]
        tolerance = MARGIN_TOLERANCE[pairs.dtype]
        excess = torch.where(pulled, pairs - spec.positive_margin, 0)
        pulls = torch.where(excess > tolerance * spec.positive_margin, excess, 0).square()
        gaps = torch.where(pushed, spec.margin - apart, 0)
        gaps = torch.where(gaps > tolerance * spec.margin, gaps, 0)
        pushes = gaps.square() if spec.hinge == "squared" else gaps
        parts = {
            "positive": _part(pulls, pulled),
            "negative": _part(pushes, pushed),
        }
        pushing = (pushes > 0).any(dim=1).sum() / pushed.any(dim=1).sum()
        active = ((pulls > 0) | (pushes > 0).any(dim=1)).sum()
        return Tuples(
            self._total(pulls, pushes, parts),
            parts,
            active / (pulled | pushed.any(dim=1)).sum(),
            pushing_anchors=pushing,
            trivial=parts["negative"].valid.to(pairs.dtype)
            * (spec.margin if spec.hinge == "linear" else spec.margin**2),
            pull_weight=spec.pull_weight if spec.reduction == "balanced" else None,
            false_negatives=batch.false_negatives if batch.shape == "pairs" else None,
        )

    def _lengths(self, distances: Tensor) -> Tensor:
        return root(distances) if self.spec.distance == "euclidean" else distances

    def _total(self, pulls: Tensor, pushes: Tensor, parts: dict[str, Part]) -> Tensor:
        if self.reduction != "balanced":
            return pulls.sum() + pushes.sum()
        weight = self.spec.pull_weight
        pull, push = (part.valid.clamp(min=1) for part in parts.values())
        return weight * pulls.sum() / pull + (1 - weight) * pushes.sum() / push


class GivenTriplet(TupleLoss):
    """Triplet loss of the given triplets, or of each pair with every candidate of another group.

    Args:
        spec: margin, distance and reduction.
    """

    def __init__(self, spec: TripletLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.spec = spec

    def tuples(self, batch: TupleBatch) -> Tuples:
        """Return the triplets of the batch."""
        spec, points, anchors = self.spec, batch.points, batch.anchors
        near = row_distances(points, anchors, batch.positives, spec.distance)
        if batch.shape == "triplets":
            negatives = batch.places[:, 2]
            far = row_distances(points, anchors, negatives, spec.distance)[:, None]
            valid = (batch.groups[anchors] != batch.groups[negatives])[:, None]
        else:
            far = all_distances(points, anchors, batch.candidates, spec.distance)
            valid = batch.negatives
        gaps = torch.where(valid, near[:, None] - far + spec.margin, 0)
        hinges = torch.where(gaps > MARGIN_TOLERANCE[gaps.dtype] * spec.margin, gaps, 0)
        part = _part(hinges, valid)
        return Tuples(
            hinges.sum(),
            {"triplet": part},
            (hinges > 0).any(dim=1).sum() / valid.any(dim=1).sum(),
            trivial=part.valid.to(gaps.dtype) * spec.margin,
            false_negatives=None if batch.shape == "triplets" else batch.false_negatives,
        )


def _part(losses: Tensor, valid: Tensor) -> Part:
    return Part(losses.detach().sum(), (losses > 0).sum(), valid.sum())
