"""The contrastive loss and the triplet loss over all tuples, of K batches at once.

The closed forms are those of `worker.losses`: the derivatives by the distances are known without
autograd, and triplets are counted instead of listed. All operations on single numbers round as IEEE
754 asks, so that a member's numbers do not depend on its place in the stack.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.loss import ContrastiveLoss, TripletLoss
from worker.losses.distances import MARGIN_TOLERANCE
from worker.losses.forms import MOST_COMPARED
from worker.together.labels import LabelRelations
from worker.together.products import product
from worker.together.terms import LossInputs, LossTerms, StackedLoss

BEYOND_MARGIN: Final = 1e38
"""A distance beyond every margin, and still finite in float32."""
TOLERANCE: Final = MARGIN_TOLERANCE[torch.float32]


def squared_distances(centred: Tensor) -> Tensor:
    """Return squared Euclidean distances [K, B, B] within batches [K, B, D] whose mean is 0."""
    products = product(centred, centred.mT)
    norms = products.diagonal(dim1=1, dim2=2)
    distances = (norms[:, :, None] + norms[:, None, :]).sub_(products, alpha=2).clamp_(min=0)
    distances.diagonal(dim1=1, dim2=2).zero_()
    return distances


def weighted_differences(slopes: Tensor, centred: Tensor) -> Tensor:
    """Return the gradient [K, B, D] of totals whose derivatives by the squared distances of
    unordered pairs are the symmetric slopes [K, B, B]."""
    rows = slopes.sum(dim=2, keepdim=True)
    return product(slopes, centred).neg_().add_(rows * centred).mul_(2)


class StackedContrastive(StackedLoss[ContrastiveLoss]):
    """Contrastive loss over all pairs, by Euclidean distance, with either hinge and every
    reduction."""

    def __init__(self, specs: Sequence[ContrastiveLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        self._margin = self.number("margin")
        self._at_margin = self.numbers([TOLERANCE * spec.margin for spec in specs])
        self._linear = specs[0].hinge == "linear"
        self._balanced = specs[0].reduction == "balanced"
        self._pull_weight = self.number("pull_weight").flatten()
        # A member without a positive margin is computed as if no other had one.
        self._loose = [at for at, spec in enumerate(specs) if spec.positive_margin]
        loose = [specs[at].positive_margin for at in self._loose]
        self._positive_margin = self.numbers(loose)
        self._at_positive_margin = self.numbers([TOLERANCE * margin for margin in loose])
        gaps = [spec.margin if self._linear else spec.margin**2 for spec in specs]
        self._gap_at_a_point = self.numbers(gaps).flatten()

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return the terms of all pairs; both items of a pair are its anchors."""
        points, relations, _, _ = batches
        centred = points - points.mean(dim=1, keepdim=True)
        squared = squared_distances(centred)
        same = relations.same_class_mask()
        distances = squared.sqrt()
        pulls = squared.mul_(same)
        pull = same
        if self._loose:
            pull = same.clone()
            self._loosen(distances, same, pulls, pull)
        gaps = torch.sub(self._margin, distances.add_(same, alpha=BEYOND_MARGIN)).clamp_(min=0)
        near = torch.gt(gaps, self._at_margin, out=torch.empty_like(gaps))
        gaps.mul_(near)
        push = near.mul(0.5) if self._linear else gaps
        # At d = 0 the push has no direction. (`where` would take as long as all of the others.)
        slopes = functional.threshold(distances, 0, torch.inf, inplace=True)
        torch.div(push, slopes, out=slopes)
        torch.sub(pull, slopes, out=slopes)
        slopes.diagonal(dim1=1, dim2=2).zero_()
        pushes = gaps if self._linear else gaps.square_()
        pulled, pushed = pulls.sum(dim=2), pushes.sum(dim=2)
        pull_total, push_total = pulled.sum(dim=1) / 2, pushed.sum(dim=1) / 2
        valid = relations.positives.sum(dim=(1, 2)) / 2, relations.negatives.sum(dim=(1, 2)) / 2
        active_pulls = torch.gt(pulls, 0, out=pulls).sum(dim=2).sum(dim=1) / 2
        parts = {
            "positive": (pull_total, active_pulls, valid[0]),
            "negative": (push_total, near.sum(dim=2).sum(dim=1) / 2, valid[1]),
        }
        totals = pull_total + push_total
        if self._balanced:
            of_pull = self._pull_weight / valid[0].clamp(min=1)
            of_push = (1 - self._pull_weight) / valid[1].clamp(min=1)
            totals = of_pull * pull_total + of_push * push_total
            weights = same * of_pull[:, None, None]
            slopes *= weights.add_(same.neg_().add_(1).mul_(of_push[:, None, None]))
        items = points.shape[1]
        contrasted = (relations.negatives > 0).sum(dim=(1, 2))
        return LossTerms(
            totals,
            weighted_differences(slopes, centred),
            parts,
            (pulled + pushed > 0).sum(dim=1) / (items if items > 1 else 0),  # any other makes one
            (pushed > 0).sum(dim=1) / contrasted,
            valid[1] * self._gap_at_a_point,
            self._pull_weight if self._balanced else None,
        )

    def _loosen(self, distances: Tensor, same: Tensor, pulls: Tensor, pull: Tensor) -> None:
        """Set the pulls and their slopes of the members with a positive margin, [K, B, B]."""
        own = distances[self._loose]
        excess = (own - self._positive_margin).clamp_(min=0)
        excess *= torch.gt(excess, self._at_positive_margin, out=torch.empty_like(excess))
        excess *= same[self._loose]
        pulls[self._loose] = excess.square()
        pull[self._loose] = excess.div_(functional.threshold(own, 0, torch.inf))


class StackedTriplet(StackedLoss[TripletLoss]):
    """Triplet loss over all triplets, by squared Euclidean distance."""

    def __init__(self, specs: Sequence[TripletLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        self._margin = self.number("margin")

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return the terms of all triplets; an anchor is active if one of its triplets is."""
        points, relations, _, _ = batches
        centred = points - points.mean(dim=1, keepdim=True)
        squared = squared_distances(centred)
        weights, active = triplet_weights(squared, relations, self._margin)
        count = active.sum(dim=1)
        valid = (relations.positives * relations.negatives).squeeze(2)
        margin = self._margin.flatten()
        totals = (weights * squared).sum(dim=2).sum(dim=1) + margin * count
        anchors = (active > 0).sum(dim=1) / (valid > 0).sum(dim=1)
        every = valid.sum(dim=1)
        return LossTerms(
            totals,
            weighted_differences(weights + weights.mT, centred),
            {"triplet": (totals, count, every)},
            anchors,
            anchors,
            every * margin,
        )


def triplet_weights(
    distances: Tensor, relations: LabelRelations, margin: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the weights W of K matrices of distances [K, B, B], and each anchor's number of active
    triplets [K, B].

    `worker.losses.triplet_weights.count_triplets` defines W. Row a holds at a positive p the number
    of negatives n with D_an < D_ap + margin, at a negative n minus the number of positives p for
    which that holds, and 0 elsewhere.

    Args:
        distances: of any kind.
        relations: of the labels.
        margin: [K, 1, 1].
    """
    thresholds = (distances.gather(2, relations.columns) + margin).mul_(1 - TOLERANCE)
    # Items of the anchor's class are moved beyond every threshold: they are no negatives.
    same = relations.same_class_mask()
    candidates = distances + same.mul_(torch.finfo(distances.dtype).max)
    if relations.columns.shape[2] <= MOST_COMPARED:
        thresholds.masked_fill_(relations.exists == 0, -torch.inf)
        weights, near = _compare(candidates, thresholds)
    else:
        weights, near = _rank(candidates, thresholds, relations)
    return weights.scatter_add_(2, relations.columns, near), near.sum(dim=2)


def _compare(candidates: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """Return W at the negatives [K, B, B], and the number of candidates below each threshold
    [K, B, P]."""
    weights, below = torch.zeros_like(candidates), torch.empty_like(candidates)
    near = torch.empty_like(thresholds)
    for at in range(thresholds.shape[2]):
        torch.lt(candidates, thresholds[:, :, at : at + 1], out=below)
        weights.sub_(below)
        torch.sum(below, dim=2, out=near[:, :, at])
    return weights, near


def _rank(
    candidates: Tensor, thresholds: Tensor, relations: LabelRelations
) -> tuple[Tensor, Tensor]:
    """Return the same by ranks: of a threshold among the candidates, and of a candidate among the
    thresholds."""
    counts = torch.searchsorted(_sort_last(candidates), thresholds, out_int32=True)
    near = counts.to(candidates.dtype).mul_(relations.exists)
    bars = _sort_last(thresholds.masked_fill_(relations.exists == 0, torch.inf))
    passed = torch.searchsorted(bars, candidates, right=True, out_int32=True)
    return passed.to(candidates.dtype).sub_(relations.positives).clamp_(max=0), near


def _sort_last(values: Tensor) -> Tensor:
    """Sort along the last dimension. On a CPU NumPy takes a tenth of torch's time."""
    if values.device.type != "cpu":
        return values.sort(dim=-1).values
    return torch.from_numpy(np.sort(values.numpy(), axis=-1))
