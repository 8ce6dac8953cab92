"""The integer matrix W from which the batch-all triplet loss and its gradient follow."""

from typing import Final

import torch
from torch import Tensor

LOOP_UP_TO: Final = 64
"""Members a class up to which one compare a member is faster than a sort (measured)."""


def triplet_weights(
    squared: Tensor, labels: Tensor, margin: float, *, loop_up_to: int = LOOP_UP_TO
) -> Tensor:
    """W for squared distances [B, B] and labels [B], in the distances' type (whole numbers).

    Row a: at a positive p the number of negatives n with D_an < D_ap + margin; at a negative n
    minus the number of positives p for which that holds; 0 elsewhere.
    """
    same = labels[:, None] == labels[None, :]
    columns, exists = _positives(labels)
    thresholds = squared.gather(1, columns) + margin
    if columns.shape[1] <= loop_up_to:
        negatives, counts = _by_compare(squared, same, thresholds, exists)
    else:
        negatives, counts = _by_sort(squared, same, thresholds, exists)
    return negatives.neg_().scatter_add_(1, columns, counts.mul_(exists))


def _positives(labels: Tensor) -> tuple[Tensor, Tensor]:
    """The members of each anchor's class side by side: column indices [B, K], and which of them
    are positives (the anchor itself and what fills up to K are not); K is the largest class."""
    _, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    by_class = classes.argsort()
    first = sizes.cumsum(0) - sizes  # where each class begins in by_class
    slots = torch.arange(int(sizes.max()), device=labels.device)
    places = (first[classes, None] + slots).clamp_(max=len(labels) - 1)
    columns = by_class[places]
    anchors = torch.arange(len(labels), device=labels.device)[:, None]
    return columns, (slots < sizes[classes, None]) & (columns != anchors)


def _by_compare(
    squared: Tensor, same: Tensor, thresholds: Tensor, exists: Tensor
) -> tuple[Tensor, Tensor]:
    """(positives active at each negative [B, B], negatives active at each positive [B, K])."""
    candidates = squared.masked_fill(same, torch.inf)
    thresholds = thresholds.masked_fill(~exists, -torch.inf).T.contiguous()
    negatives, active = torch.zeros_like(squared), torch.empty_like(squared)
    counts = torch.empty_like(thresholds)
    for slot, threshold in enumerate(thresholds):
        torch.lt(candidates, threshold[:, None], out=active)  # 0. and 1.: sums are exact and fast
        torch.sum(active, dim=1, out=counts[slot])
        negatives += active
    return negatives, counts.T


def _by_sort(
    squared: Tensor, same: Tensor, thresholds: Tensor, exists: Tensor
) -> tuple[Tensor, Tensor]:
    """The same: a negative is active at all positives whose threshold sorts behind it."""
    ordered, order = thresholds.masked_fill(~exists, torch.inf).sort(dim=1)
    behind = torch.searchsorted(ordered, squared, right=True)  # thresholds <= D_an
    negatives = (exists.sum(dim=1, keepdim=True) - behind).clamp_(min=0).masked_fill_(same, 0)
    seen = torch.zeros(len(same), ordered.shape[1] + 1, dtype=torch.int64, device=same.device)
    seen.scatter_add_(1, behind, (~same).to(torch.int64))
    sorted_counts = seen.cumsum(dim=1)[:, :-1]
    counts = torch.empty_like(sorted_counts).scatter_(1, order, sorted_counts)
    return negatives.to(squared.dtype), counts.to(squared.dtype)
