"""The losses over a trainable vector of each class, of K batches at once: ArcFace and centre
contrastive."""

import math
from collections.abc import Sequence

import torch

from contract.comparison.loss import ArcFaceLoss, CenterContrastiveLoss
from worker.losses.arcface import COSINE_GAP
from worker.together.products import product
from worker.together.softmax_losses import UnitVectors, share_of_anchors, softmax, softmax_part
from worker.together.terms import LossInputs, LossTerms, StackedLoss


class StackedArcFace(StackedLoss[ArcFaceLoss]):
    """ArcFace: each item against the weights of all classes, with a margin on its own angle."""

    def __init__(self, specs: Sequence[ArcFaceLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        margins = [spec.margin for spec in specs]
        self._scale = self.number("scale")
        self._cos, self._sin = (
            self.numbers([turn(margin) for margin in margins]) for turn in (math.cos, math.sin)
        )
        self._fall = self.numbers([margin * math.sin(margin) for margin in margins])
        self._turn = self.numbers([math.cos(math.pi - margin) for margin in margins])

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return one tuple for each item."""
        points, relations, own, _ = batches
        assert own is not None, "ArcFace has weights"
        units, weights = UnitVectors(points), UnitVectors(own)
        labels = relations.labels[:, :, None]
        cosines = product(units.values, weights.values.mT)
        near = cosines.clamp(COSINE_GAP - 1, 1 - COSINE_GAP)
        true = near.gather(2, labels)
        height = (1 - true.square()).sqrt()
        falling = true > self._turn
        moved = torch.where(falling, true * self._cos - height * self._sin, true - self._fall)
        logits = near.scatter(2, labels, moved).mul_(self._scale)
        slopes, log_sums = softmax(logits)
        losses = log_sums - moved * self._scale
        every = torch.ones_like(losses)
        part, active = softmax_part(losses, every)
        slopes.scatter_add_(2, labels, every.neg())
        steep = torch.where(falling, self._cos + true / height * self._sin, 1)
        slopes.scatter_(2, labels, slopes.gather(2, labels) * steep)
        slopes.mul_(self._scale).mul_(near == cosines)  # beyond the clamp there is no gradient
        anchors = share_of_anchors(active, every)
        return LossTerms(
            part[0],
            units.backward(product(slopes, weights.values)),
            {"softmax": part},
            anchors,
            anchors,
            own_slopes=weights.backward(product(slopes.mT, units.values)),
        )


class StackedCenterContrastive(StackedLoss[CenterContrastiveLoss]):
    """Centre contrastive: each item against all class centres, and its pull to its own."""

    def __init__(self, specs: Sequence[CenterContrastiveLoss], device: torch.device) -> None:
        super().__init__(specs, device)
        self._temperature = self.number("temperature")

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return two tuples for each item: its softmax over the centres, and its pull."""
        points, relations, own, _ = batches
        assert own is not None, "centre contrastive has centres"
        units, centers = UnitVectors(points), UnitVectors(own)
        labels = relations.labels[:, :, None]
        logits = product(units.values, centers.values.mT).div_(self._temperature)
        slopes, log_sums = softmax(logits)
        losses = log_sums - logits.gather(2, labels)
        every = torch.ones_like(losses)
        softmax_term, contested = softmax_part(losses, every)
        places = labels.expand(-1, -1, points.shape[2])
        apart = units.values - centers.values.gather(1, places)
        pulled = apart.square().sum(dim=2, keepdim=True)
        away = torch.gt(pulled, 0).to(points.dtype)
        positive = (pulled.sum(dim=(1, 2)), away.sum(dim=(1, 2)), softmax_term[2])
        slopes.scatter_add_(2, labels, every.neg()).div_(self._temperature)
        apart.mul_(2)
        to_centers = product(slopes.mT, units.values).scatter_add_(1, places, -apart)
        return LossTerms(
            softmax_term[0] + positive[0],
            units.backward(product(slopes, centers.values).add_(apart)),
            {"softmax": softmax_term, "positive": positive},
            share_of_anchors(contested + away, every),
            share_of_anchors(contested, every),
            own_slopes=centers.backward(to_centers),
        )
