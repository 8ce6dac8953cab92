"""Contrastive loss over the pairs of a batch.

Hadsell, Chopra & LeCun 2006, in the form of arXiv 2510.02161:
sum over positive pairs of d^2 + sum over negative pairs of max(0, m - d)^2,
where d is the Euclidean distance or 1 - cos and m the margin. With a positive margin m_p a positive
pair has max(0, d - m_p)^2, and with a linear hinge a negative pair has max(0, m - d).
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.loss import ContrastiveLoss, Hinge
from worker.losses import selection
from worker.losses.base import Loss, Part, Tuples
from worker.losses.batch import Batch, ClassMembers
from worker.losses.distances import MARGIN_TOLERANCE, BatchDistances, batch_distances

BEYOND_MARGIN: Final = 1e38
"""A distance beyond every margin, and still finite in float32."""


class Contrastive(Loss):
    """Contrastive loss: pull positive pairs together, push negative pairs out to the margin.

    Its parts are `positive` and `negative`. Tuples are unordered pairs, or pairs of an anchor and
    an other item where two modalities are compared. A positive pair at distance 0, or within the
    positive margin, has no loss and is not active.

    The reduction "balanced" gives pull weight * mean over the positive pairs trained on +
    (1 - pull weight) * mean over the negative ones. Where a batch has no pair of one kind, its term
    is 0; the weight of the other stays.

    Args:
        spec: margins, hinge, distance, selection of tuples, reduction and pull weight.
    """

    def __init__(self, spec: ContrastiveLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.margin = spec.margin
        self.positive_margin = spec.positive_margin
        self.hinge = spec.hinge
        self.pull_weight = spec.pull_weight
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
            pulls, pushes, slopes = losses_and_slopes(
                points, same, self.margin, positive_margin=self.positive_margin, hinge=self.hinge
            )
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
            pushing = (pushed > 0).sum() / (members.negative_counts > 0).sum()
            # At one point no positive pair has a loss, and every negative one lacks the margin.
            gap = self.margin if self.hinge == "linear" else self.margin**2
            trivial = negative.valid * gap
        trained = parts if selected is None else selected
        if self.reduction == "balanced":
            pull, push = self._pair_weights(trained, slopes.dtype)
            total = pull * trained["positive"].total + push * trained["negative"].total
            slopes *= torch.where(same > 0, pull, push)
        else:
            total = trained["positive"].total + trained["negative"].total
        return Tuples(
            points.with_gradient(total, slopes),
            parts,
            (pulled + pushed > 0).sum() / anchors,
            selected,
            pushing_anchors=pushing,
            trivial=trivial,
            pull_weight=self.pull_weight if self.reduction == "balanced" else None,
        )

    def _pair_weights(self, trained: dict[str, Part], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return the weight of each positive and of each negative pair under "balanced"."""
        counts = [trained[name].valid.clamp(min=1).to(dtype) for name in ("positive", "negative")]
        return self.pull_weight / counts[0], (1 - self.pull_weight) / counts[1]


def _distances(points: BatchDistances) -> Tensor:
    """Return the distances d [B, M] as a new matrix."""
    return points.squared.sqrt() if points.distance == "euclidean" else points.compared.clone()


def losses_and_slopes(
    points: BatchDistances,
    same: Tensor,
    margin: float,
    *,
    positive_margin: float = 0.0,
    hinge: Hinge = "squared",
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the losses of positive pairs, those of negative pairs, and the slopes of both, [B, M].

    A slope is the derivative by s, the squared Euclidean distance: (d - m_p) / d for an active
    positive pair, which is 1 without a positive margin; -(m - d) / d for an active negative one, or
    -1 / 2d with a linear hinge. By the cosine distance c = s / 2 they are c - m_p and -(m - c), or
    -1 / 2. At d = 0 the push has no direction, and its slope is 0.
    """
    # Passes over these matrices take most of the time: as few as possible, in place, without bool.
    distances = _distances(points)
    euclidean = points.distance == "euclidean"
    if positive_margin:
        pull = contrastive_excess(distances, positive_margin).mul_(same)
        pulls = pull.square()
        if euclidean:
            pull /= functional.threshold(distances, 0, torch.inf)  # at d = 0 it would be 0 / 0
    elif euclidean:
        pulls, pull = points.squared * same, same
    else:
        pull = distances * same
        pulls = pull.square()
    gaps = contrastive_gaps(distances.add_(same, alpha=BEYOND_MARGIN), margin)
    push = gaps if hinge == "squared" else gaps.sign().mul_(0.5)
    if euclidean:
        slopes = functional.threshold(distances, 0, torch.inf, inplace=True)
        torch.div(push, slopes, out=slopes)
        torch.sub(pull, slopes, out=slopes)
        if points.against_itself:
            slopes.fill_diagonal_(0)
    else:
        slopes = pull.sub_(push)
    return pulls, gaps.square_() if hinge == "squared" else gaps, slopes


def contrastive_gaps(distances: Tensor, margin: float) -> Tensor:
    """Return what is left to the margin; 0 beyond it and within the tolerance at it."""
    at_margin = MARGIN_TOLERANCE[distances.dtype] * margin
    return functional.threshold(margin - distances, at_margin, 0, inplace=True)


def contrastive_excess(distances: Tensor, margin: float) -> Tensor:
    """Return how far distances lie beyond a positive margin; 0 below it and within the tolerance at
    it."""
    at_margin = MARGIN_TOLERANCE[distances.dtype] * margin
    return functional.threshold(distances - margin, at_margin, 0, inplace=True)


def _part_and_rows(losses: Tensor, valid: Tensor, batch: Batch) -> tuple[Part, Tensor]:
    """Return the part of losses [B, M], and their sum for each anchor. Overwrites the losses."""
    rows = losses.sum(dim=1)
    active = losses.sign_().sum(dim=1).to(torch.int64)  # by row: float32 counts to 2^24
    total = rows.sum() / 2 if batch.against_itself else rows.sum()
    return Part(total, _unordered(active.sum(), batch), valid), rows


def _unordered(count: Tensor, batch: Batch) -> Tensor:
    """Turn a number of ordered pairs into that of unordered ones, if compared with itself."""
    return count // 2 if batch.against_itself else count
