"""The contrastive loss of a small batch on a CPU, by NumPy; `forms` says why and when.

The formulas are those of `contrastive.losses_and_slopes`.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contract.comparison.loss import ContrastiveLoss
from worker.losses.batch import Batch
from worker.losses.distances import MARGIN_TOLERANCE, QUIET, BatchDistances

Mask: TypeAlias = NDArray[np.bool_]


class PairNumbers(NamedTuple):
    """What the pairs of a batch add up to; of two numbers the first is of positive pairs, the
    second of negative ones. Where a batch is compared with itself, a pair counts once."""

    value: float
    """The sum of all losses, or the value under the reduction "balanced"."""
    totals: tuple[float, float]
    active: tuple[int, int]
    valid: tuple[int, int]
    active_anchors: float
    """Share of the anchors in a pair that are in an active one; NaN where there is no pair."""
    pushing_anchors: float
    """The same of negative pairs."""


@QUIET
def sum_pairs(points: BatchDistances, batch: Batch, loss: ContrastiveLoss) -> PairNumbers:
    """Sum the losses of all pairs, and overwrite `points.compared` with the derivatives of the
    value by the squared distances."""
    compared, tolerance = points.compared.numpy(), MARGIN_TOLERANCE[points.compared.dtype]
    same = same_class_mask(batch)
    euclidean = points.distance == "euclidean"
    distances = np.sqrt(compared) if euclidean else compared
    if loss.positive_margin:
        pull = distances - loss.positive_margin
        pull *= (pull > tolerance * loss.positive_margin) & same
    else:
        pull = same if euclidean else distances * same
    squared = euclidean and not loss.positive_margin
    pulls = compared * same if squared else np.square(pull)
    gaps = loss.margin - distances
    near = gaps > tolerance * loss.margin
    near &= ~same
    gaps *= near
    linear = loss.hinge == "linear"
    pulled, pushed = pulls.sum(axis=1), (gaps if linear else np.square(gaps)).sum(axis=1)
    push = near * gaps.dtype.type(0.5) if linear else gaps
    if euclidean:
        # At d = 0 neither has a direction.
        np.copyto(distances, np.inf, where=distances == 0)
        push /= distances
        if loss.positive_margin:
            pull /= distances
    np.subtract(pull, push, out=compared)
    if points.against_itself:
        compared.reshape(-1)[:: len(compared) + 1] = 0
    times, anchors = (2 if points.against_itself else 1), len(same)
    pairs = int(np.count_nonzero(same))
    positive = (pairs - anchors if points.against_itself else pairs) // times
    negative = (same.size - pairs) // times
    pull_total, push_total = float(pulled.sum()) / times, float(pushed.sum()) / times
    value = pull_total + push_total
    if loss.reduction == "balanced":
        pull_weight = loss.pull_weight / max(1, positive)
        push_weight = (1 - loss.pull_weight) / max(1, negative)
        compared *= np.where(same, pull_weight, push_weight)
        value = pull_weight * pull_total + push_weight * push_total
    if points.against_itself:
        # Any other item makes a valid pair, and one of another class is a negative of all.
        paired, contrasted = (anchors if anchors > 1 else 0), (anchors if negative else 0)
    else:
        paired, contrasted = anchors, anchors - int(np.count_nonzero(same.all(axis=1)))
    return PairNumbers(
        value,
        (pull_total, push_total),
        (int(np.count_nonzero(pulls > 0)) // times, int(np.count_nonzero(near)) // times),
        (positive, negative),
        share(np.count_nonzero(pulled + pushed > 0), paired),
        share(np.count_nonzero(pushed > 0), contrasted),
    )


def same_class_mask(batch: Batch) -> Mask:
    """Return a [B, M] mask of pairs of one class, an item with itself included."""
    mask: Mask = batch.labels.numpy()[:, None] == batch.other_labels.numpy()
    return mask


def share(count: np.integer | int, of: np.integer | int) -> float:
    """Return count / of; NaN of none."""
    return float(count / of) if of else math.nan
