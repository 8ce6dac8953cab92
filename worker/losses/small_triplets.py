"""The triplet loss of a small batch on a CPU, by NumPy; `forms` says why and when.

The matrix W is that of `triplet_weights.count_triplets`.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from worker.losses.distances import MARGIN_TOLERANCE, QUIET, Array, BatchDistances
from worker.losses.forms import FEW_COMPARISONS
from worker.losses.small_pairs import Mask, share
from worker.losses.triplet_weights import compare_thresholds

Counts: TypeAlias = NDArray[np.int64]


class TripletNumbers(NamedTuple):
    """What the triplets of a batch add up to."""

    total: float
    active: int
    valid: int
    active_anchors: float
    """Share of the anchors in a triplet that are in an active one; NaN where there is none."""


@QUIET
def sum_triplets(
    points: BatchDistances, same: Mask, positives: Counts, margin: float
) -> TripletNumbers:
    """Sum the losses of all triplets, and overwrite `points.compared` with the derivatives of the
    sum by the squared distances.

    Args:
        points: the distances.
        same: [B, M] pairs of one class, an item with itself included.
        positives: [B] number of positives of each anchor.
        margin: of the loss.
    """
    distances = points.compared.numpy()
    pairs = same
    if points.against_itself:
        pairs = same.copy()
        pairs.reshape(-1)[:: len(same) + 1] = False
    anchors, columns = pairs.nonzero()
    slots = np.arange(len(anchors)) - (positives.cumsum() - positives)[anchors]
    bars = np.full((len(distances), positives.max()), -np.inf, distances.dtype)
    bars[anchors, slots] = _active_below(distances[anchors, columns], margin)
    # Items of the anchor's class are moved beyond every threshold: they are no negatives.
    candidates = distances.copy()
    np.copyto(candidates, np.inf, where=same)
    weights, below = _compare(candidates, bars)
    weights[anchors, columns] = below[anchors, slots]
    active = below.sum(axis=1)
    negatives = distances.shape[1] - positives
    if points.against_itself:
        negatives -= 1
    valid = positives * negatives
    count = int(active.sum(dtype=np.float64))
    total = float((weights * distances).sum()) + margin * count
    if points.against_itself:
        np.add(weights, weights.T, out=distances)
    else:
        np.copyto(distances, weights)
    if points.distance == "cosine":
        distances /= 2
    return TripletNumbers(
        total, count, int(valid.sum()), share(np.count_nonzero(active), np.count_nonzero(valid))
    )


def _active_below(positive: Array, margin: float) -> Array:
    """As `triplet_weights.active_below`."""
    bounds = positive + margin
    bounds *= 1 - MARGIN_TOLERANCE[torch.float32 if bounds.dtype == np.float32 else torch.float64]
    return bounds


def _compare(candidates: Array, thresholds: Array) -> tuple[Array, Array]:
    """As `triplet_weights.compare_thresholds`."""
    if candidates.size * thresholds.shape[1] > FEW_COMPARISONS:
        found = compare_thresholds(torch.from_numpy(candidates), torch.from_numpy(thresholds))
        return found[0].numpy(), found[1].numpy()
    below = candidates[:, None] < thresholds[:, :, None]
    kind = candidates.dtype
    return -below.sum(axis=1, dtype=kind), below.sum(axis=2, dtype=kind)
