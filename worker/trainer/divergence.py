"""Trainings that diverge: embeddings beyond what float32 can hold, and the likely cause."""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from contract.comparison.encoder import Encoder
from contract.comparison.loss import (
    KINDS_WITH_PARAMETERS,
    ContrastiveLoss,
    Loss,
    PluginLoss,
    TripletLoss,
    loss_name,
)
from contract.comparison.training import Training

UNIT_AT_LEAST: Final = 0.25
"""Squared length below which a vector that should have length 1 has lost it."""


class Lengths:
    """Watches whether float32 can still hold the lengths of the embeddings, without waiting for a
    GPU at each step."""

    def __init__(self, *, normalize: bool) -> None:
        """Args:
        normalize: whether the encoder brings every embedding to length 1.
        """
        self._normalize = normalize
        self._seen: list[Tensor] = []

    def see(self, embeddings: Sequence[Tensor]) -> None:
        """Take in the embeddings [B, D] of a step, one tensor a modality."""
        self._seen += [squared_range(points) for points in embeddings]

    def problem(self) -> str:
        """Return what is wrong with the embeddings since the last call; empty if nothing is."""
        if not self._seen:
            return ""
        low, high = torch.stack(self._seen).unbind(dim=1)
        self._seen = []
        return length_problem(float(low.min()), float(high.max()), normalize=self._normalize)


def squared_range(points: Tensor) -> Tensor:
    """Return the smallest and the largest squared length [2] of points [N, D], in float32."""
    return torch.stack(points.detach().float().square().sum(dim=1).aminmax())


def length_problem(low: float, high: float, *, normalize: bool) -> str:
    """Return what is wrong with embeddings of these squared lengths; empty if nothing is.

    Args:
        low: the smallest; NaN if one is not a number.
        high: the largest; infinite if float32 cannot hold it.
        normalize: whether every embedding should have length 1.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "embeddings grew beyond what float32 can square (a length of 1.8e+19)"
    if normalize and low < UNIT_AT_LEAST:
        return (
            "embeddings have lost their length: before the normalisation they are too large or too "
            "small for float32"
        )
    return ""


DIRECT_DECAY: Final = {"sgd", "adamw"}
"""Optimisers that subtract learning rate x weight decay of each weight at each step."""


def likely_cause(training: Training, encoder: Encoder, loss: Loss) -> str:
    """Return advice for people about a loss that is not finite any more, the most likely cause
    first."""
    lr = training.optimizer.lr
    decay = training.optimizer.weight_decay
    advice = [
        f"The learning rate {lr:g} of {training.optimizer.kind} is probably too high; "
        f"try {lr / 10:g}."
    ]
    loss_lr = training.optimizer.loss_lr
    may_train = loss.kind in KINDS_WITH_PARAMETERS or isinstance(loss, PluginLoss)
    if may_train and loss_lr is not None and loss_lr > lr:
        advice.append(f"Or that of the loss's own parameters, {loss_lr:g}; try {loss_lr / 10:g}.")
    if lr * decay > 1 and training.optimizer.kind in DIRECT_DECAY:
        advice.insert(
            0,
            f"The weight decay {decay:g} times the learning rate {lr:g} is {lr * decay:g}: above 1 "
            "each step turns the sign of all weights, above 2 it also makes them larger. Lower the "
            f"weight decay to {0.1 / lr:.2g} or less.",
        )
    if not encoder.normalize:
        advice.append(
            "The embeddings are not L2-normalised, so that nothing bounds their distances; "
            "switch L2-normalise on."
        )
    if isinstance(loss, ContrastiveLoss | TripletLoss) and loss.margin > 10:
        advice.append(f"The margin {loss.margin:g} is large; try 1.")
    if isinstance(loss, PluginLoss):
        advice.append(f"Or a parameter of {loss_name(loss)} is too large; try its defaults.")
    elif getattr(loss, "reduction", "") == "sum":
        advice.append(
            "The loss is summed over all tuples, which makes its gradient grow with the batch; "
            "try the reduction mean."
        )
    return " ".join(advice)
