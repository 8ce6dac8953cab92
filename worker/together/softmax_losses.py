"""The losses with a softmax over the items of a batch, of K batches at once: InfoNCE, SupCon,
N-pair. `center_losses` has those over trainable vectors.

The gradients are written out. Of the functions that are not exact only `exp`, `log` and `log1p` are
used, whose results torch rounds alike at every place of a tensor; tests check that.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from contract.comparison.loss import ACTIVE_EPS, InfoNceLoss, NPairLoss, SupConLoss
from worker.losses.distances import ZERO_NORM
from worker.together.labels import LabelRelations
from worker.together.products import product
from worker.together.terms import LossInputs, LossTerms, StackedLoss


def in_columns(values: Tensor, relations: LabelRelations) -> Tensor:
    """Return a matrix [K, B, B] with the values [K, B, P] of an anchor's class in their columns,
    and 0 elsewhere.

    P is as large as the largest class of all members, and sums round by how many numbers are
    summed: the sums of a row are taken of this matrix. The filling must be 0.
    """
    members, items = relations.classes.shape
    matrix = values.new_zeros(members, items, items)
    return matrix.scatter_add_(2, relations.columns, values)


class UnitVectors:
    """Vectors scaled to length 1; one without direction becomes 0, without gradient."""

    def __init__(self, vectors: Tensor) -> None:
        """Args:
        vectors: [K, N, D].
        """
        lengths = torch.linalg.vector_norm(vectors, dim=2, keepdim=True)
        self._lengths = lengths.clamp(min=ZERO_NORM)
        self._directed = (lengths >= ZERO_NORM).to(vectors.dtype)
        self.values = vectors.div(self._lengths).mul_(self._directed)
        """[K, N, D]."""

    def backward(self, slopes: Tensor) -> Tensor:
        """Return the derivative by the vectors from that by the unit vectors, [K, N, D]."""
        along = (slopes * self.values).sum(dim=2, keepdim=True)
        return slopes.sub(along * self.values).div_(self._lengths).mul_(self._directed)


def softmax(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return softmax [K, N, M] over the last dimension, and the log of the sum of exp, [K, N, 1].

    Left out are logits of minus infinity; a row of nothing else gives 0 twice.
    """
    largest = logits.amax(dim=2, keepdim=True)
    largest.masked_fill_(largest == -torch.inf, 0)
    exps = torch.sub(logits, largest).exp_()
    sums = exps.sum(dim=2, keepdim=True)
    empty = sums == 0
    sums.masked_fill_(empty, 1)
    return exps.div_(sums), sums.log().add_(largest).masked_fill_(empty, 0)


def softmax_part(losses: Tensor, valid: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Return the part of the losses of tuples, and which of these are active, as 1. and 0.

    Args:
        losses: [K, N, M].
        valid: of the same shape, 1 for tuples and 0 for others.
    """
    active = torch.gt(losses, ACTIVE_EPS).to(losses.dtype).mul_(valid)
    sums = [of.sum(dim=2).sum(dim=1) for of in (losses * valid, active, valid)]
    return (sums[0], sums[1], sums[2]), active


def share_of_anchors(active: Tensor, valid: Tensor) -> Tensor:
    """Return of the rows with a valid tuple the share with an active one, [K], from [K, N, M]."""
    return (active.sum(dim=2) > 0).sum(dim=1) / (valid.sum(dim=2) > 0).sum(dim=1)


class StackedInfoNce(StackedLoss[InfoNceLoss]):
    """InfoNCE over the positive pairs whose anchor has a negative."""

    def __init__(self, specs: Sequence[InfoNceLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        self._temperature = self.number("temperature")

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return one tuple for each positive pair: it against all negatives of its anchor."""
        points, relations, _, _ = batches
        units = UnitVectors(points)
        logits = product(units.values, units.values.mT).div_(self._temperature)
        same = relations.same_class_mask()
        shares, competitors = softmax(logits.masked_fill(same > 0, -torch.inf))
        behind = competitors - logits.gather(2, relations.columns)
        exps = behind.abs().neg_().exp_()
        losses = behind.clamp(min=0).add_(exps.log1p())
        valid = relations.exists * (relations.negatives > 0)
        part, active = softmax_part(
            in_columns(losses * valid, relations), in_columns(valid, relations)
        )
        # The sigmoid of how far the pair is behind.
        lost = torch.where(behind >= 0, 1 / (1 + exps), exps / (1 + exps))
        lost = in_columns(lost * valid, relations)
        slopes = shares.mul_(lost.sum(dim=2, keepdim=True)).sub_(lost)
        tuples = valid.sum(dim=2)  # whole numbers
        anchors = share_of_anchors(active, valid)
        return LossTerms(
            part[0],
            units.backward(_of_products(slopes.div_(self._temperature), units.values)),
            {"softmax": part},
            anchors,
            anchors,
            (tuples * (relations.negatives.squeeze(2) + 1).log()).sum(dim=1),
        )


class StackedSupCon(StackedLoss[SupConLoss]):
    """Supervised contrastive loss over the anchors with a positive."""

    def __init__(self, specs: Sequence[SupConLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        self._temperature = self.number("temperature")

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return one tuple for each anchor with its positives."""
        points, relations, _, _ = batches
        units = UnitVectors(points)
        logits = product(units.values, units.values.mT).div_(self._temperature)
        logits.diagonal(dim1=1, dim2=2).fill_(-torch.inf)
        slopes, log_sums = softmax(logits)
        # The anchor itself, at minus infinity, is among the columns.
        near = logits.gather(2, relations.columns).masked_fill_(relations.exists == 0, 0)
        count = relations.positives.clamp(min=1)
        valid = (relations.positives > 0).to(points.dtype)
        won = in_columns(near, relations).sum(dim=2, keepdim=True) / count
        losses = log_sums - won
        part, active = softmax_part(losses, valid)
        slopes.scatter_add_(2, relations.columns, (relations.exists / count).neg_())
        slopes *= valid
        anchors = share_of_anchors(active, valid)
        return LossTerms(
            part[0],
            units.backward(_of_products(slopes.div_(self._temperature), units.values)),
            {"softmax": part},
            anchors,
            anchors,
            part[2] * math.log(max(points.shape[1] - 1, 1)),
        )


class StackedNPair(StackedLoss[NPairLoss]):
    """N-pair loss over one positive pair of each class that has one."""

    def __init__(self, specs: Sequence[NPairLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        self._scale = self.number("scale")

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return one tuple for each class; its anchor and its positive are drawn at random."""
        points, relations, _, generators = batches
        anchors, positives, exists = _draw_pairs(relations, generators)
        dim = points.shape[2]
        wide = [at[:, :, None].expand(-1, -1, dim) for at in (anchors, positives)]
        first, second = (points.gather(1, at) for at in wide)
        logits = product(first, second.mT).mul_(self._scale)
        own_logits = logits.diagonal(dim1=1, dim2=2)[:, :, None].clone()
        slopes, log_sums = softmax(logits.masked_fill_(exists[:, None, :] == 0, -torch.inf))
        count = exists.sum(dim=1)
        valid = (exists * (count > 1)[:, None])[:, :, None]
        losses = (log_sums - own_logits) * valid
        part, active = softmax_part(losses, valid)
        slopes.diagonal(dim1=1, dim2=2).sub_(1)
        slopes.mul_(valid).mul_(self._scale)
        total = torch.zeros_like(points)
        total.scatter_add_(1, wide[0], product(slopes, second))
        total.scatter_add_(1, wide[1], product(slopes.mT, first))
        share = share_of_anchors(active, valid)
        trivial = part[2] * count.clamp(min=1).log()
        return LossTerms(part[0], total, {"softmax": part}, share, share, trivial)


def _of_products(slopes: Tensor, units: Tensor) -> Tensor:
    """Return the derivative by unit vectors [K, B, D] from that by their products [K, B, B]."""
    return product(slopes + slopes.mT, units)


def _draw_pairs(
    relations: LabelRelations, generators: Sequence[torch.Generator]
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw an anchor and a positive of every class that has both, as `worker.losses.n_pair` does.

    Returns:
        Indices of anchors and positives, [K, N] each, by class, and which of the places up to
        N = B // 2, the most that a batch can have, are filled, as 1. and 0. (The size of what is
        summed must not depend on the other members.)
    """
    labels = relations.labels
    items = labels.shape[1]
    drawn = [torch.randperm(items, generator=generator) for generator in generators]
    shuffled = torch.stack(drawn).to(labels.device)
    seen = labels.gather(1, shuffled)
    known, order = seen.sort(dim=1, stable=True)
    order = shuffled.gather(1, order)
    joined = known[:, 1:] == known[:, :-1]
    begins = torch.ones_like(joined)
    begins[:, 1:] = ~joined[:, :-1]
    paired = joined & begins
    places = (~paired).to(torch.int8).argsort(dim=1, stable=True)[:, : items // 2]
    exists = paired.gather(1, places).to(torch.float32)
    return order.gather(1, places), order.gather(1, places + 1), exists
