"""The integer matrix W from which the triplet loss over all triplets and its gradient follow."""

import numpy as np
import torch
from torch import Tensor

from worker.losses.batch import ClassMembers
from worker.losses.distances import MARGIN_TOLERANCE
from worker.losses.forms import TRIPLET_BLOCK, compares_thresholds, row_blocks


def triplet_weights(
    distances: Tensor,
    labels: Tensor,
    margin: float,
    *,
    other_labels: Tensor | None = None,
    semi_hard: bool = False,
) -> Tensor:
    """Return W alone, for labels [B] and other labels [M]; without the latter the batch is compared
    with itself. See `count_triplets`."""
    members = ClassMembers.from_labels(labels, other_labels)
    return count_triplets(distances, members, margin, semi_hard=semi_hard)[0]


def active_below(positive: Tensor, margin: float) -> Tensor:
    """Return the distance below which a negative makes an active triplet, for D_ap of any shape."""
    return (positive + margin).mul_(1 - MARGIN_TOLERANCE[positive.dtype])


def count_triplets(
    distances: Tensor,
    members: ClassMembers,
    margin: float,
    *,
    semi_hard: bool = False,
    chunk: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Count the active triplets at each pair of an anchor and another item.

    Row a of the result W holds at a positive p the number of negatives n with D_an < D_ap + margin
    (less the share MARGIN_TOLERANCE of it), at a negative n minus the number of positives p for
    which that holds, and 0 elsewhere.

    Args:
        distances: D [B, M], of any kind.
        members: the classes of the rows and columns.
        margin: at least 0.
        semi_hard: whether to count only triplets with D_ap < D_an.
        chunk: elements of W computed at a time; by default as suits the device.

    Returns:
        W [B, M], whole numbers in the type of the distances, and the number of active triplets of
        each anchor, [B] int64.
    """
    columns, exists = members.positive_columns()
    nearest = distances.gather(1, columns)
    bounds = [active_below(nearest, margin)]
    if semi_hard:
        # D_an <= D_ap means D_an < the next number above D_ap; where a margin is too small to
        # change D_ap, no triplet is left.
        above = nearest.nextafter(nearest.new_full((), torch.inf))  # made on the device, not sent
        bounds.append(above.minimum(bounds[0]))
    compares = compares_thresholds(distances, columns.shape[1])
    if compares:
        for bound in bounds:
            bound.masked_fill_(~exists, -torch.inf)
    planes = columns.shape[1] if compares else 1
    beyond = torch.finfo(distances.dtype).max
    weights = torch.empty_like(distances)
    counts = torch.empty_like(nearest)
    for here in row_blocks(distances, chunk or TRIPLET_BLOCK, planes=planes):
        # Items of the anchor's class are moved beyond every threshold: they are no negatives.
        same = members.same_class_mask(distances.dtype, here)
        candidates = torch.add(distances[here], same, alpha=beyond, out=same)
        if compares:
            found = [compare_thresholds(candidates, bound[here]) for bound in bounds]
        else:
            ordered = _sort_rows(candidates)
            found = [
                _count_ranks(candidates, ordered, bound[here], exists[here]) for bound in bounds
            ]
        for result, seen in zip((weights, counts), zip(*found, strict=True), strict=True):
            torch.sub(*seen, out=result[here]) if semi_hard else result[here].copy_(seen[0])
    active = counts.sum(dim=1).to(torch.int64)
    return weights.scatter_add_(1, columns, counts), active


def compare_thresholds(candidates: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for candidates [R, M] and thresholds [R, K] of some rows, minus the number of
    thresholds above each candidate [R, M] and the number of candidates below each threshold
    [R, K]."""
    below = candidates.new_empty((*thresholds.shape, candidates.shape[1]))
    torch.lt(candidates[:, None], thresholds[:, :, None], out=below)
    return below.sum(dim=1).neg_(), below.sum(dim=2)


def _count_ranks(
    candidates: Tensor, ordered: Tensor, thresholds: Tensor, exists: Tensor
) -> tuple[Tensor, Tensor]:
    """Return, for some rows, W at the negatives [R, M] and the number of negatives below each
    threshold [R, K].

    Both are ranks: of a negative among the thresholds, and of a threshold among the negatives.
    """
    dtype = candidates.dtype
    counts = torch.searchsorted(ordered, thresholds, out_int32=True).to(dtype)
    bars = _sort_rows(thresholds.masked_fill(~exists, torch.inf))
    passed = torch.searchsorted(bars, candidates, right=True, out_int32=True).to(dtype)
    return passed.sub_(exists.sum(dim=1, keepdim=True)).clamp_(max=0), counts.mul_(exists)


def _sort_rows(values: Tensor) -> Tensor:
    """Sort each row. On a CPU NumPy takes a tenth of torch's time."""
    if values.device.type != "cpu":
        return values.sort(dim=1).values
    return torch.from_numpy(np.sort(values.detach().numpy(), axis=1))
