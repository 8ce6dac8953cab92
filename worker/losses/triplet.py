"""Triplet loss over all triplets of a batch, exact, without a list of triplets.

Schroff, Kalenichenko & Philbin 2015, in the form of arXiv 2510.02161:
sum over valid (a, p, n) of max(0, D_ap - D_an + m), where D is the squared Euclidean distance or
1 - cos and m the margin.

Everything follows from one integer matrix W [B, M]: at a positive (a, p) it holds the number of
negatives n with D_an < D_ap + m, at a negative (a, n) minus the number of positives p for which
that holds. The sum of W over the positives is the number of active triplets, the loss is
<W, D> + m * active, and dL/dD = W. Memory is O(B M), where a list of triplets needs O(B M^2).
"""

from functools import partial

import torch
from torch import Tensor

from contract.comparison.loss import TripletLoss
from worker.losses import selection
from worker.losses.base import Loss, Part, Tuples
from worker.losses.batch import Batch, ClassMembers
from worker.losses.distances import BatchDistances, batch_distances
from worker.losses.forms import compares_at_once, is_small
from worker.losses.small_pairs import same_class_mask
from worker.losses.small_triplets import TripletNumbers, sum_triplets
from worker.losses.triplet_weights import active_below, count_triplets
from worker.torch_utils import scalars


class Triplet(Loss):
    """Triplet loss, with one part, `triplet`.

    A triplet (a, p, n) is valid if a and p share a class, n has another, and a != p.

    Args:
        spec: margin, distance, selection of tuples and reduction.
    """

    def __init__(self, spec: TripletLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.margin = spec.margin
        self.distance = spec.distance
        self.selection = spec.selection

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return the triplets of the batch; an anchor is active if one of its triplets is."""
        points = batch_distances(batch, self.distance)
        if self.selection == "all" and is_small(batch.anchors, batch.others):
            same = same_class_mask(batch)
            positives = same.sum(axis=1)
            if batch.against_itself:
                positives -= 1
            if compares_at_once(points.compared, int(positives.max())):
                return self._small(points, sum_triplets(points, same, positives, self.margin))
        with torch.no_grad():
            distances = points.compared
            members = ClassMembers.from_batch(batch)
            valid = members.positive_counts * members.negative_counts  # of each anchor
            weights, active = count_triplets(distances, members, self.margin)
            total = self._total(weights, distances, active)
            everything = trained = Part(total, active.sum(), valid.sum())
            if self.selection == "semi_hard":
                weights, picked = count_triplets(distances, members, self.margin, semi_hard=True)
                total = self._total(weights, distances, picked)
                trained = Part(total, picked.sum(), picked.sum())
            elif self.selection != "all":
                chosen = selection.select_triplets(self.selection, batch, distances, generator)
                weights, trained = self._listed(chosen, distances)
            slopes = weights if points.distance == "euclidean" else weights / 2
            if batch.against_itself:
                # Over the distances: memory that is new costs as much as a pass over it. Copied
                # first, because adding what is transposed takes a CPU several times longer.
                slopes = distances.copy_(slopes.T).add_(slopes)
        return Tuples(
            partial(points.with_gradient, trained.total, slopes),
            {"triplet": everything},
            (active > 0).sum() / (valid > 0).sum(),
            None if self.selection == "all" else {"triplet": trained},
            trivial=everything.valid.to(distances.dtype) * self.margin,
        )

    def _small(self, points: BatchDistances, found: TripletNumbers) -> Tuples:
        """Return all triplets of a small batch."""
        with torch.no_grad():
            total, trivial, anchors = scalars(
                (found.total, found.valid * self.margin, found.active_anchors),
                points.compared.dtype,
            )
            active, valid = scalars((found.active, found.valid), torch.int64)
        return Tuples(
            partial(points.with_gradient, total, points.compared),
            {"triplet": Part(total, active, valid)},
            anchors,
            trivial=trivial,
            divisor=self.divisor(found.active, found.valid),
        )

    def _total(self, weights: Tensor, distances: Tensor, active: Tensor) -> Tensor:
        """Return the sum of the losses of the triplets counted in W."""
        # In the type of the distances: times an integer tensor, the margin would become a float32.
        return (weights * distances).sum() + self.margin * active.sum().to(distances.dtype)

    def _listed(self, chosen: Tensor, distances: Tensor) -> tuple[Tensor, Part]:
        """Return W of listed triplets [3, T], and their part."""
        a, p, n = chosen.unbind()
        active = distances[a, n] < active_below(distances[a, p], self.margin)
        active = active.to(distances.dtype)
        weights = torch.zeros_like(distances)
        weights.index_put_((a, p), active, accumulate=True)
        weights.index_put_((a, n), -active, accumulate=True)
        hinges = (distances[a, p] - distances[a, n] + self.margin) * active
        return weights, Part(hinges.sum(), (active > 0).sum(), torch.ones_like(a).sum())
