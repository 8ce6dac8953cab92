"""The contrastive loss and the triplet loss over all triplets, of K batches at once.

The closed forms are those of `worker.losses`: the derivatives by the distances are known without
autograd, and triplets are counted by ranks instead of listed. What only the labels decide,
`LabelRelations` finds for many steps at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from worker.losses.contrastive import BEYOND_MARGIN, contrastive_gaps
from worker.losses.triplet_weights import active_below


@dataclass(frozen=True)
class LabelRelations:
    """Class relations in batches of B items of K seeds.

    `from_labels` makes those of S steps, with one more dimension in front; `at` gives one step's.
    """

    classes: Tensor
    """[K, B] float32 numbers, equal for items of one class."""
    columns: Tensor
    """[K, B, P] members of each item's class in its batch, filled up to P, the largest class."""
    exists: Tensor
    """[K, B, P] float32: 1 for positives of the item, 0 for the item itself and the filling."""
    positives: Tensor
    """[K, B, 1] float32 number of positives of each item."""
    negatives: Tensor
    """[K, B, 1] float32 number of negatives of each item."""

    @classmethod
    def from_labels(cls, labels: Tensor) -> Self:
        """Build from labels [S, K, B]. Waits for a GPU once, for the size of the largest class."""
        known, order = labels.sort(dim=-1, stable=True)
        first = torch.searchsorted(known, labels)
        sizes = torch.searchsorted(known, labels, right=True) - first
        slots = torch.arange(int(sizes.max()), device=labels.device)
        places = (first[..., None] + slots).clamp_(max=labels.shape[-1] - 1)
        columns = order.gather(-1, places.flatten(-2)).view(places.shape)
        items = torch.arange(labels.shape[-1], device=labels.device)[:, None]
        exists = (slots < sizes[..., None]) & (columns != items)
        return cls(
            first.to(torch.float32),  # a class is named by where it begins in the sorted batch
            columns,
            exists.to(torch.float32),
            (sizes[..., None] - 1).to(torch.float32),
            (labels.shape[-1] - sizes[..., None]).to(torch.float32),
        )

    def at(self, step: int) -> "LabelRelations":
        """Return the relations of one of the steps."""
        return LabelRelations(
            self.classes[step],
            self.columns[step],
            self.exists[step],
            self.positives[step],
            self.negatives[step],
        )

    def same_class_mask(self) -> Tensor:
        """Return a mask [K, B, B] of pairs of one class, with itself included, as 1. and 0."""
        shape = (*self.classes.shape, self.classes.shape[-1])
        mask = torch.empty(shape, dtype=torch.float32, device=self.classes.device)
        return torch.eq(self.classes[..., :, None], self.classes[..., None, :], out=mask)


@dataclass(frozen=True)
class LossTerms:
    """The sums, counts and derivatives of a loss over each of K batches."""

    slopes: Tensor
    """[K, B, B] derivatives of the totals by the squared distances of unordered pairs."""
    parts: dict[str, tuple[Tensor, Tensor, Tensor]]
    """For each part its total and the numbers of its active and its valid tuples, [K] each."""
    active_anchors: Tensor
    """[K] of the anchors in at least one valid tuple, the share in at least one active tuple."""
    pushing_anchors: Tensor
    """[K] the same, of negative pairs or triplets."""
    trivial: Tensor
    """[K] sum of the losses if all embeddings of a batch coincided."""


def squared_distances(centred: Tensor) -> Tensor:
    """Return squared Euclidean distances [K, B, B] within batches [K, B, D] whose mean is 0."""
    products = torch.bmm(centred, centred.mT)
    norms = products.diagonal(dim1=1, dim2=2)
    distances = (norms[:, :, None] + norms[:, None, :]).sub_(products, alpha=2).clamp_(min=0)
    distances.diagonal(dim1=1, dim2=2).zero_()
    return distances


def contrastive(squared: Tensor, relations: LabelRelations, margin: float) -> LossTerms:
    """Sum d^2 over all positive pairs and max(0, margin - d)^2 over all negative pairs."""
    same = relations.same_class_mask()
    distances = squared.sqrt()
    pulls = squared * same
    gaps = contrastive_gaps(distances.add_(same, alpha=BEYOND_MARGIN), margin)
    slopes = functional.threshold(distances, 0, torch.inf, inplace=True)
    torch.div(gaps, slopes, out=slopes)
    torch.sub(same, slopes, out=slopes)
    slopes.diagonal(dim1=1, dim2=2).zero_()
    pulled, pushed = pulls.sum(dim=2), gaps.square_().sum(dim=2)
    parts = {
        "positive": _pair_counts(pulls, pulled, relations.positives),
        "negative": _pair_counts(gaps, pushed, relations.negatives),
    }
    items = squared.shape[1]
    anchors = items if items > 1 else 0  # any other item makes a valid pair
    contrasted = (relations.negatives > 0).sum(dim=(1, 2))
    return LossTerms(
        slopes,
        parts,
        (pulled + pushed > 0).sum(dim=1) / anchors,
        (pushed > 0).sum(dim=1) / contrasted,
        parts["negative"][2] * margin**2,
    )


def _pair_counts(losses: Tensor, rows: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return total, active and valid unordered pairs, [K] each, of the losses of ordered ones
    [K, B, B] and their sums by row. Overwrites the losses."""
    active = losses.sign_().sum(dim=2).sum(dim=1, dtype=torch.float64)
    return rows.sum(dim=1) / 2, active / 2, valid.sum(dim=(1, 2), dtype=torch.float64) / 2


def triplet(squared: Tensor, relations: LabelRelations, margin: float) -> LossTerms:
    """Sum max(0, D_ap - D_an + margin) over all triplets, D the squared distance."""
    weights, active = triplet_weights(squared, relations, margin)
    count = active.sum(dim=1, dtype=torch.float64)
    valid = (relations.positives * relations.negatives).squeeze(2)
    total = (weights * squared).sum(dim=(1, 2)) + margin * count.to(squared.dtype)
    anchors = (active > 0).sum(dim=1) / (valid > 0).sum(dim=1)
    part = total, count, valid.sum(dim=1, dtype=torch.float64)
    return LossTerms(weights + weights.mT, {"triplet": part}, anchors, anchors, part[2] * margin)


def triplet_weights(
    distances: Tensor, relations: LabelRelations, margin: float
) -> tuple[Tensor, Tensor]:
    """Return the weights W of K matrices of distances [K, B, B], and each anchor's number of active
    triplets [K, B].

    `worker.losses.triplet_weights.count_triplets` defines W. Row a holds at a positive p the number
    of negatives n with D_an < D_ap + margin, at a negative n minus the number of positives p for
    which that holds, and 0 elsewhere. Both are ranks.
    """
    thresholds = active_below(distances.gather(2, relations.columns), margin)
    # Items of the anchor's class are moved beyond every threshold: they are no negatives.
    beyond = torch.finfo(distances.dtype).max
    same = relations.same_class_mask()
    candidates = torch.add(distances, same, alpha=beyond, out=same)
    counts = torch.searchsorted(_sort_last(candidates), thresholds, out_int32=True)
    near = counts.to(distances.dtype).mul_(relations.exists)
    bars = _sort_last(thresholds.masked_fill_(relations.exists == 0, torch.inf))
    passed = torch.searchsorted(bars, candidates, right=True, out_int32=True)
    weights = passed.to(distances.dtype).sub_(relations.positives).clamp_(max=0)
    return weights.scatter_add_(2, relations.columns, near), near.sum(dim=2)


def _sort_last(values: Tensor) -> Tensor:
    """Sort along the last dimension. On a CPU NumPy takes a tenth of torch's time."""
    if values.device.type != "cpu":
        return values.sort(dim=-1).values
    return torch.from_numpy(np.sort(values.numpy(), axis=-1))


LOSS_FUNCTIONS: Final[dict[str, Callable[[Tensor, LabelRelations, float], LossTerms]]] = {
    "contrastive": contrastive,
    "triplet": triplet,
}
