"""Contrastive loss over the pairs of a batch.

Hadsell, Chopra & LeCun 2006, in the form of arXiv 2510.02161:
sum over positive pairs of d^2 + sum over negative pairs of max(0, m - d)^2,
where d is the Euclidean distance or 1 - cos and m the margin. With a positive margin m_p a positive
pair has max(0, d - m_p)^2, and with a linear hinge a negative pair has max(0, m - d).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.loss import ContrastiveLoss
from worker.losses import selection
from worker.losses.base import Loss, Part, Tuples
from worker.losses.batch import Batch, ClassMembers
from worker.losses.distances import MARGIN_TOLERANCE, BatchDistances, batch_distances
from worker.losses.forms import is_small, row_blocks
from worker.losses.small_pairs import sum_pairs
from worker.torch_utils import scalars

BEYOND_MARGIN: Final = 1e38
"""A distance beyond every margin, and still finite in float32."""
PARTS: Final = ("positive", "negative")


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
        self.spec = spec

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return the pairs of the batch.

        For `active_anchors` both items of a pair count as anchors; where two modalities are
        compared, only the anchor does.
        """
        points = batch_distances(batch, self.distance)
        if self.selection == "all" and is_small(batch.anchors, batch.others):
            return self._small(points, batch)
        with torch.no_grad():
            members = ClassMembers.from_batch(batch)
            valid = trained = dict(zip(PARTS, members.pair_counts, strict=True))
            chosen = weights = None
            if self.selection != "all":
                euclidean = self.distance == "euclidean"
                distances = points.compared.sqrt() if euclidean else points.compared
                chosen = selection.select_pairs(
                    self.selection, batch, distances, self.margin, generator
                )
                trained = {
                    "positive": _once(
                        (chosen & batch.positive).sum(), against_itself=batch.against_itself
                    ),
                    "negative": _once(
                        (chosen & batch.negative).sum(), against_itself=batch.against_itself
                    ),
                }
            if self.reduction == "balanced":
                weights = self._pair_weights(trained, points.compared.dtype)
            found, picked = self._sums(points, members, chosen, weights)
            parts = found.parts(valid)
            selected = None if picked is None else picked.parts(trained)
            positive, negative = [part.total for part in (selected or parts).values()]
            if weights is not None:
                positive, negative = weights[0] * positive, weights[1] * negative
            # Any other item makes a valid pair, so that only an anchor alone is in none.
            alone = batch.against_itself and len(batch.labels) == 1
            return Tuples(
                partial(points.with_gradient, positive + negative, points.compared),
                parts,
                (found.anchors.sum(dim=0) > 0).sum() / (0 if alone else len(batch.labels)),
                selected,
                pushing_anchors=(found.anchors[1] > 0).sum() / (members.negative_counts > 0).sum(),
                trivial=valid["negative"].to(points.compared.dtype) * self._gap_at_one_point,
                pull_weight=self._share_of_pull,
            )

    @property
    def _gap_at_one_point(self) -> float:
        """Loss of a negative pair at one point, which lacks the whole margin; a positive one has
        none there."""
        return self.margin if self.hinge == "linear" else self.margin**2

    @property
    def _share_of_pull(self) -> float | None:
        return self.pull_weight if self.reduction == "balanced" else None

    def _small(self, points: BatchDistances, batch: Batch) -> Tuples:
        """Return all pairs of a small batch."""
        with torch.no_grad():
            found = sum_pairs(points, batch, self.spec)
            value, positive, negative, trivial, active, pushing = scalars(
                (
                    found.value,
                    *found.totals,
                    found.valid[1] * self._gap_at_one_point,
                    found.active_anchors,
                    found.pushing_anchors,
                ),
                points.compared.dtype,
            )
            counts = scalars((*found.active, *found.valid), torch.int64)
            parts = map(Part, (positive, negative), counts[:2], counts[2:])
        return Tuples(
            partial(points.with_gradient, value, points.compared),
            dict(zip(PARTS, parts, strict=True)),
            active,
            pushing_anchors=pushing,
            trivial=trivial,
            pull_weight=self._share_of_pull,
            divisor=self.divisor(sum(found.active), sum(found.valid)),
        )

    def _sums(
        self,
        points: BatchDistances,
        members: ClassMembers,
        chosen: Tensor | None,
        weights: tuple[Tensor, Tensor] | None,
    ) -> tuple["PairSums", "PairSums | None"]:
        """Sum the losses of all pairs, and overwrite `points.compared` with the derivatives by the
        squared distances of the total over those trained on.

        Args:
            points: the distances.
            members: the classes.
            chosen: [B, M] the pairs that are trained on; None for all.
            weights: of a positive and of a negative pair; None for 1.

        Returns:
            The sums over all pairs, and those over the chosen ones.
        """
        slopes = points.compared
        found, picked = [], []
        for here in row_blocks(slopes):
            same = members.same_class_mask(slopes.dtype, here)
            losses = losses_and_slopes(slopes[here], same, self.spec)
            found.append(PairSums.from_losses(losses, against_itself=points.against_itself))
            if chosen is not None:
                losses *= chosen[here]
                slopes[here] *= chosen[here]
                picked.append(PairSums.from_losses(losses, against_itself=points.against_itself))
            if weights is not None:
                slopes[here] *= torch.where(same > 0, *weights)
        if points.against_itself:
            slopes.fill_diagonal_(0)
        return PairSums.joined(found), PairSums.joined(picked) if picked else None

    def _pair_weights(
        self, trained: dict[str, Tensor], dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """Return the weight of each positive and of each negative pair under "balanced"."""
        counts = [trained[name].clamp(min=1).to(dtype) for name in PARTS]
        return self.pull_weight / counts[0], (1 - self.pull_weight) / counts[1]


@dataclass(frozen=True)
class PairSums:
    """Sums and counts over the positive and over the negative pairs of some anchors."""

    anchors: Tensor
    """[2, R] sum of the losses of each anchor's pairs."""
    active: tuple[Tensor, Tensor]
    """0-d numbers of pairs with a loss (int64)."""
    against_itself: bool = False
    """Whether each pair stands there twice, once for each of its items."""

    @classmethod
    def from_losses(cls, losses: Tensor, *, against_itself: bool) -> Self:
        """Build from losses [2, R, M]."""
        pulls, pushes = losses.unbind()
        counts = torch.count_nonzero(pulls), torch.count_nonzero(pushes)
        return cls(losses.sum(dim=2), counts, against_itself)

    @classmethod
    def joined(cls, sums: Sequence[Self]) -> Self:
        """Join those of blocks of anchors."""
        if len(sums) == 1:
            return sums[0]
        pulling, pushing = zip(*(own.active for own in sums), strict=True)
        return cls(
            torch.cat([own.anchors for own in sums], dim=1),
            (torch.stack(pulling).sum(), torch.stack(pushing).sum()),
            sums[0].against_itself,
        )

    def parts(self, valid: Mapping[str, Tensor]) -> dict[str, Part]:
        """Return the parts of the loss, each pair counted once, with these numbers of pairs."""
        totals = self.anchors.sum(dim=1)
        if self.against_itself:
            totals /= 2
        return {
            name: Part(total, _once(active, against_itself=self.against_itself), valid[name])
            for name, total, active in zip(PARTS, totals.unbind(), self.active, strict=True)
        }


def losses_and_slopes(compared: Tensor, same: Tensor, loss: ContrastiveLoss) -> Tensor:
    """Return the losses of positive pairs and those of negative pairs, [2, R, M], and overwrite the
    distances with the slopes of both.

    A slope is the derivative by s, the squared Euclidean distance: (d - m_p) / d for an active
    positive pair, which is 1 without a positive margin; -(m - d) / d for an active negative one, or
    -1 / 2d with a linear hinge. By the cosine distance c = s / 2 they are c - m_p and -(m - c), or
    -1 / 2. At d = 0 the push has no direction, and its slope is 0.

    Args:
        compared: [R, M] distances as `BatchDistances.compared` has them.
        same: [R, M] 1 for pairs of one class, an item with itself included, and 0 for others.
        loss: margins, hinge and distance.
    """
    # Passes over these matrices take most of the time: as few as possible, in place, without bool.
    losses = compared.new_empty((2, *compared.shape))
    pulls, pushes = losses.unbind()
    euclidean = loss.distance == "euclidean"
    distances = compared.sqrt() if euclidean else compared.clone()
    pull = same
    if loss.positive_margin:
        pull = contrastive_excess(distances, loss.positive_margin).mul_(same)
        torch.square(pull, out=pulls)
        if euclidean:
            pull /= functional.threshold(distances, 0, torch.inf)  # at d = 0 it would be 0 / 0
    elif euclidean:
        torch.mul(compared, same, out=pulls)
    else:
        pull = distances * same
        torch.square(pull, out=pulls)
    gaps = contrastive_gaps(distances.add_(same, alpha=BEYOND_MARGIN), loss.margin)
    push = gaps if loss.hinge == "squared" else gaps.sign().mul_(0.5)
    if euclidean:
        functional.threshold(distances, 0, torch.inf, inplace=True)
        torch.addcdiv(pull, push, distances, value=-1, out=compared)
    else:
        torch.sub(pull, push, out=compared)
    if loss.hinge == "squared":
        torch.square(gaps, out=pushes)
    else:
        pushes.copy_(gaps)
    return losses


def contrastive_gaps(distances: Tensor, margin: float) -> Tensor:
    """Return what is left to the margin; 0 beyond it and within the tolerance at it."""
    at_margin = MARGIN_TOLERANCE[distances.dtype] * margin
    return functional.threshold(margin - distances, at_margin, 0, inplace=True)


def contrastive_excess(distances: Tensor, margin: float) -> Tensor:
    """Return how far distances lie beyond a positive margin; 0 below it and within the tolerance at
    it."""
    at_margin = MARGIN_TOLERANCE[distances.dtype] * margin
    return functional.threshold(distances - margin, at_margin, 0, inplace=True)


def _once(count: Tensor, *, against_itself: bool) -> Tensor:
    """Turn a number of ordered pairs into that of unordered ones, if compared with itself."""
    return count // 2 if against_itself else count
