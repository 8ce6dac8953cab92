"""What the losses of a softmax share: similarities, and how their tuples are counted."""

import torch
from torch import Tensor

from contract.comparison.loss import ACTIVE_EPS
from worker.errors import InputError
from worker.losses.base import Part, Tuples
from worker.losses.distances import unit


def cosines(points: Tensor, others: Tensor) -> Tensor:
    """Cosines [B, M] of points [B, D] and others [M, D]; 0 for one without direction."""
    return unit(points) @ unit(others).T


def log_sum_exp(values: Tensor, chosen: Tensor) -> Tensor:
    """Row-wise log of the sum of exp over the chosen values, [B]; 0, without gradient, for a row
    that has none.

    Args:
        values: [B, M].
        chosen: [B, M] bool.
    """
    some = chosen.any(dim=1, keepdim=True)
    kept = values.masked_fill(~chosen & some, -torch.inf)
    return torch.where(some[:, 0], kept.logsumexp(dim=1), 0)


def tuples_of(losses: Tensor, valid: Tensor) -> Tuples:
    """One part, `softmax`, of the losses of all tuples.

    Args:
        losses: [B] or [B, M], of each anchor, or of each anchor with another; finite.
        valid: of the same shape, which of them are tuples.
    """
    values = torch.where(valid, losses, 0)
    part, active = part_of(values, valid)
    by_anchor = [of.flatten(1).any(dim=1) for of in (active[..., None], valid[..., None])]
    return Tuples(values.sum(), {"softmax": part}, by_anchor[0].sum() / by_anchor[1].sum())


def part_of(values: Tensor, valid: Tensor, above: float = ACTIVE_EPS) -> tuple[Part, Tensor]:
    """A part, and which of its tuples are active: those with a loss above the bound."""
    active = values.detach() > above
    return Part(values.detach().sum(), active.sum(), valid.sum()), active


def check_classes(labels: Tensor, classes: int) -> None:
    """Check that labels name rows of class weights; on a GPU not, for which it would be waited.

    Raises:
        InputError: names the labels and what was seen.
    """
    if labels.is_cuda:
        return
    low, high = (int(end) for end in labels.aminmax())
    if low < 0 or high >= classes:
        raise InputError(f"labels: expected 0 to {classes - 1}, got {low} to {high}")
