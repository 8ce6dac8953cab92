"""The integer matrix W from which the batch-all triplet loss and its gradient follow."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from worker.losses.batch import Members

CHUNK: Final = 2**18
"""Elements of W found at a time: what is needed on the way stays small and near."""
GPU_CHUNK: Final = 2**26
"""The same on a GPU, which wants few and large pieces of work."""


def triplet_weights(
    distances: Tensor,
    labels: Tensor,
    margin: float,
    *,
    other_labels: Tensor | None = None,
    semi_hard: bool = False,
) -> Tensor:
    """W alone, for labels [B] and [M], without which a batch is its own other; see `count`."""
    members = Members.of(labels, other_labels)
    return count(distances, members, margin, semi_hard=semi_hard)[0]


def count(
    distances: Tensor,
    members: Members,
    margin: float,
    *,
    semi_hard: bool = False,
    chunk: int | None = None,
) -> tuple[Tensor, Tensor]:
    """W for distances D [B, M], in their type (whole numbers), and each anchor's active triplets.

    Row a: at a positive p the number of negatives n with D_an < D_ap + margin; at a negative n
    minus the number of positives p for which that holds; 0 elsewhere.

    Args:
        distances: D, of any kind.
        members: of the rows and columns.
        margin: at least 0.
        semi_hard: count only triplets with D_ap < D_an.
        chunk: elements of W found at a time; by the device unless given.

    Returns:
        W and the sums of its rows over the positives, [B] int64.
    """
    columns, exists = members.thresholds()
    nearest = distances.gather(1, columns)
    bounds = [nearest + margin]
    if semi_hard:
        # D_an <= D_ap is D_an < the next number; with a margin too small to count, none is left.
        above = nearest.nextafter(nearest.new_full((), torch.inf))  # filled there, not sent
        bounds.append(above.minimum(bounds[0]))
    # What is of the anchor's class lies beyond every threshold: it is no negative.
    same = members.same(distances.dtype)
    beyond = torch.finfo(distances.dtype).max
    candidates = torch.add(distances, same, alpha=beyond, out=same)
    weights = torch.empty_like(distances)
    counts = torch.empty_like(nearest)
    chunk = chunk or (CHUNK if distances.device.type == "cpu" else GPU_CHUNK)
    rows = max(1, chunk // distances.shape[1])
    for first in range(0, len(distances), rows):
        here = slice(first, first + rows)
        ordered = _sorted(candidates[here])
        found = [_found(candidates[here], ordered, bound[here], exists[here]) for bound in bounds]
        for result, seen in zip((weights, counts), zip(*found, strict=True), strict=True):
            torch.sub(*seen, out=result[here]) if semi_hard else result[here].copy_(seen[0])
    active = counts.mul_(exists).sum(dim=1).to(torch.int64)
    return weights.scatter_add_(1, columns, counts), active


def _found(
    candidates: Tensor, ordered: Tensor, thresholds: Tensor, exists: Tensor
) -> tuple[Tensor, Tensor]:
    """Of some rows W at the negatives [R, M], and the negatives nearer than each threshold [R, K].

    Both are ranks: a negative's among the thresholds, and a threshold's among the negatives.
    """
    dtype = candidates.dtype
    counts = torch.searchsorted(ordered, thresholds, out_int32=True).to(dtype)
    bars = _sorted(thresholds.masked_fill(~exists, torch.inf))
    passed = torch.searchsorted(bars, candidates, right=True, out_int32=True).to(dtype)
    return passed.sub_(exists.sum(dim=1, keepdim=True)).clamp_(max=0), counts


def _sorted(values: Tensor) -> Tensor:
    """By row. NumPy's takes a tenth of torch's time on a CPU."""
    if values.device.type != "cpu":
        return values.sort(dim=1).values
    return torch.from_numpy(np.sort(values.detach().numpy(), axis=1))
