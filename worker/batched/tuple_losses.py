"""The contrastive and the batch-all triplet loss of K batches at once, with their slopes.

The same closed forms as worker.losses: the distances' derivatives are known without autograd, and
triplets are counted by ranks, never listed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from worker.batched.label_relations import Kin
from worker.losses.contrastive import FAR


@dataclass(frozen=True)
class Found:
    """What the losses found in K batches."""

    slopes: Tensor
    """[K, B, B] derivatives of the totals by the squared distances of the unordered pairs."""
    parts: dict[str, tuple[Tensor, Tensor, Tensor]]
    """Part -> its total, its active and its valid tuples, [K] each."""
    active_anchors: Tensor
    """[K] share of the anchors in at least one valid tuple that are in an active one."""


def squared_distances(centred: Tensor) -> Tensor:
    """Squared Euclidean distances [K, B, B] within batches [K, B, D] whose mean is 0."""
    products = torch.bmm(centred, centred.mT)
    norms = products.diagonal(dim1=1, dim2=2)
    distances = (norms[:, :, None] + norms[:, None, :]).sub_(products, alpha=2).clamp_(min=0)
    distances.diagonal(dim1=1, dim2=2).zero_()
    return distances


def contrastive(squared: Tensor, kin: Kin, margin: float) -> Found:
    """Over all pairs: d^2 of a positive one, max(0, margin - d)^2 of a negative one."""
    same = kin.same()
    distances = squared.sqrt()
    pulls = squared * same
    gaps = (margin - distances.add_(same, alpha=FAR)).clamp_(min=0)
    slopes = functional.threshold(distances, 0, torch.inf, inplace=True)
    torch.div(gaps, slopes, out=slopes)
    torch.sub(same, slopes, out=slopes)
    slopes.diagonal(dim1=1, dim2=2).zero_()
    pulled, pushed = pulls.sum(dim=2), gaps.square_().sum(dim=2)
    parts = {
        "positive": _pairs(pulls, pulled, kin.positives),
        "negative": _pairs(gaps, pushed, kin.negatives),
    }
    items = squared.shape[1]
    anchors = items if items > 1 else 0  # any other item makes a valid pair
    return Found(slopes, parts, (pulled + pushed > 0).sum(dim=1) / anchors)


def _pairs(losses: Tensor, rows: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of ordered pairs [K, B, B], which are lost."""
    active = losses.sign_().sum(dim=2).sum(dim=1, dtype=torch.float64)
    return rows.sum(dim=1) / 2, active / 2, valid.sum(dim=(1, 2), dtype=torch.float64) / 2


def triplet(squared: Tensor, kin: Kin, margin: float) -> Found:
    """Over all triplets: max(0, D_ap - D_an + margin), D the squared distance."""
    weights, active = triplet_weights(squared, kin, margin)
    count = active.sum(dim=1, dtype=torch.float64)
    valid = (kin.positives * kin.negatives).squeeze(2)
    total = (weights * squared).sum(dim=(1, 2)) + margin * count.to(squared.dtype)
    anchors = (active > 0).sum(dim=1) / (valid > 0).sum(dim=1)
    part = total, count, valid.sum(dim=1, dtype=torch.float64)
    return Found(weights + weights.mT, {"triplet": part}, anchors)


def triplet_weights(distances: Tensor, kin: Kin, margin: float) -> tuple[Tensor, Tensor]:
    """W of `worker.losses.triplet_weights.count` for K matrices [K, B, B], and each anchor's
    active triplets [K, B].

    Row a of W: at a positive p the number of negatives n with D_an < D_ap + margin; at a negative n
    minus the number of positives p for which that holds; 0 elsewhere. Both are ranks.
    """
    thresholds = distances.gather(2, kin.columns).add_(margin)
    # What is of the anchor's class lies beyond every threshold: it is no negative.
    beyond = torch.finfo(distances.dtype).max
    same = kin.same()
    candidates = torch.add(distances, same, alpha=beyond, out=same)
    counts = torch.searchsorted(_sorted(candidates), thresholds, out_int32=True)
    near = counts.to(distances.dtype).mul_(kin.exists)
    bars = _sorted(thresholds.masked_fill_(kin.exists == 0, torch.inf))
    passed = torch.searchsorted(bars, candidates, right=True, out_int32=True)
    weights = passed.to(distances.dtype).sub_(kin.positives).clamp_(max=0)
    return weights.scatter_add_(2, kin.columns, near), near.sum(dim=2)


def _sorted(values: Tensor) -> Tensor:
    """Along the last dimension; NumPy's takes a tenth of torch's time on a CPU."""
    if values.device.type != "cpu":
        return values.sort(dim=-1).values
    return torch.from_numpy(np.sort(values.numpy(), axis=-1))


KINDS: Final[dict[str, Callable[[Tensor, Kin, float], Found]]] = {
    "contrastive": contrastive,
    "triplet": triplet,
}
