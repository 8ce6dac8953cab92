"""Contrastive loss over the pairs of a batch.

Hadsell, Chopra & LeCun 2006, in the form of arXiv 2510.02161:
sum over positive pairs of d^2 + sum over negative pairs of max(0, m - d)^2,
where d is the Euclidean distance or 1 - cos and m the margin.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.loss import ContrastiveLoss
from worker.losses import selection
from worker.losses.base import Loss, Part, Tuples
from worker.losses.batch import Batch, ClassMembers
from worker.losses.distances import MARGIN_TOLERANCE, BatchDistances, batch_distances

BEYOND_MARGIN: Final = 1e38
"""A distance beyond every margin, and still finite in float32."""


class Contrastive(Loss):
    """Contrastive loss: pull positive pairs together, push negative pairs out to the margin.

    Its parts are `positive` and `negative`. Tuples are unordered pairs, or pairs of an anchor and
    an other item where two modalities are compared. A positive pair at distance 0 has no loss and
    is not active.

    Args:
        spec: margin, distance, selection of tuples and reduction.
    """

    def __init__(self, spec: ContrastiveLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.margin = spec.margin
        self.distance = spec.distance
        self.selection = spec.selection

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return the pairs of the batch.

        For `active_anchors` both items of a pair count as anchors; where two modalities are
        compared, only the anchor does.
        """
        points = batch_distances(batch, self.distance)
        with torch.no_grad():
            members = ClassMembers.from_batch(batch)
            same = members.same_class_mask(points.squared.dtype)
            pulls, pushes, slopes = _losses_and_slopes(points, same, self.margin)
            selected = None
            if self.selection != "all":
                distances = _distances(points)
                chosen = selection.select_pairs(
                    self.selection, batch, distances, self.margin, generator
                )
                picked = chosen.to(pulls.dtype)
                slopes *= picked
                positives = _unordered((chosen & batch.positive).sum(), batch)
                negatives = _unordered((chosen & batch.negative).sum(), batch)
                selected = {
                    "positive": _part_and_rows(pulls * picked, positives, batch)[0],
                    "negative": _part_and_rows(pushes * picked, negatives, batch)[0],
                }
            positive, pulled = _part_and_rows(
                pulls, _unordered(members.positive_counts.sum(), batch), batch
            )
            negative, pushed = _part_and_rows(
                pushes, _unordered(members.negative_counts.sum(), batch), batch
            )
            parts = {"positive": positive, "negative": negative}
            alone = (
                batch.against_itself and len(batch.labels) == 1
            )  # any other item makes a valid pair
            anchors = torch.tensor(0.0 if alone else float(len(batch.labels)))
        trained = parts if selected is None else selected
        total = trained["positive"].total + trained["negative"].total
        return Tuples(
            points.with_gradient(total, slopes),
            parts,
            (pulled + pushed > 0).sum() / anchors,
            selected,
        )


def _distances(points: BatchDistances) -> Tensor:
    """Return the distances d [B, M] as a new matrix."""
    return points.squared.sqrt() if points.distance == "euclidean" else points.compared.clone()


def _losses_and_slopes(
    points: BatchDistances, same: Tensor, margin: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the losses of positive pairs, those of negative pairs, and the slopes of both, [B, M].

    A slope is the derivative by s, the squared Euclidean distance: 1 for a positive pair and
    -(m - d) / d for an active negative one. By the cosine distance c = s / 2 they are c and
    -(m - c). At d = 0 the push has no direction, and its slope is 0.
    """
    # Passes over these matrices take most of the time: as few as possible, in place, without bool.
    distances = _distances(points)
    if points.distance == "euclidean":
        pulls = points.squared * same
        gaps = contrastive_gaps(distances.add_(same, alpha=BEYOND_MARGIN), margin)
        slopes = functional.threshold(distances, 0, torch.inf, inplace=True)
        torch.div(gaps, slopes, out=slopes)
        torch.sub(same, slopes, out=slopes)
        if points.against_itself:
            slopes.fill_diagonal_(0)
        return pulls, gaps.square_(), slopes
    pulls = distances * same
    gaps = contrastive_gaps(distances.add_(same, alpha=BEYOND_MARGIN), margin)
    return pulls.square(), gaps.square(), pulls.sub_(gaps)


def contrastive_gaps(distances: Tensor, margin: float) -> Tensor:
    """Return what is left to the margin; 0 beyond it and within the tolerance at it."""
    at_margin = MARGIN_TOLERANCE[distances.dtype] * margin
    return functional.threshold(margin - distances, at_margin, 0, inplace=True)


def _part_and_rows(losses: Tensor, valid: Tensor, batch: Batch) -> tuple[Part, Tensor]:
    """Return the part of losses [B, M], and their sum for each anchor. Overwrites the losses."""
    rows = losses.sum(dim=1)
    active = losses.sign_().sum(dim=1).to(torch.int64)  # by row: float32 counts to 2^24
    total = rows.sum() / 2 if batch.against_itself else rows.sum()
    return Part(total, _unordered(active.sum(), batch), valid), rows


def _unordered(count: Tensor, batch: Batch) -> Tensor:
    """Turn a number of ordered pairs into that of unordered ones, if compared with itself."""
    return count // 2 if batch.against_itself else count
