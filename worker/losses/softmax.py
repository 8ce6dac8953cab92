"""Similarities and counts that all losses with a softmax share."""

import math

import torch
from torch import Tensor

from contract.comparison.loss import ACTIVE_EPS
from worker.errors import InputError
from worker.losses.base import Part, Tuples
from worker.losses.distances import unit_vectors


def cosines(points: Tensor, others: Tensor) -> Tensor:
    """Return the cosines [B, M] of points [B, D] and others [M, D]; 0 where a vector has no
    direction."""
    return unit_vectors(points) @ unit_vectors(others).T


def masked_log_sum_exp(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the log of the sum of exp over the chosen values of each row, [B].

    Args:
        values: [B, M].
        chosen: [B, M] bool; a row without a chosen value gives 0, without gradient.
    """
    some = chosen.any(dim=1, keepdim=True)
    kept = values.masked_fill(~chosen & some, -torch.inf)
    return torch.where(some[:, 0], kept.logsumexp(dim=1), 0)


def softmax_tuples(losses: Tensor, valid: Tensor, candidates: int | Tensor | None = None) -> Tuples:
    """Sum and count the losses of all tuples as one part, `softmax`.

    Args:
        losses: [B] of each anchor, or [B, M] of each anchor with each other item; finite.
        valid: bool of the same shape, which of them are tuples.
        candidates: number of similarities in the softmax of every tuple, or [B] of each anchor's:
            where all embeddings coincide, a loss is its logarithm. None for losses with parameters
            of their own.
    """
    values = torch.where(valid, losses, 0)
    part, active = part_and_active(values, valid)
    by_anchor = [of.flatten(1).any(dim=1) for of in (active[..., None], valid[..., None])]
    trivial = None
    if isinstance(candidates, int):
        trivial = part.valid * math.log(max(candidates, 1))
    elif candidates is not None:
        tuples = valid.flatten(1).sum(dim=1)
        trivial = (tuples * candidates.log()).sum()
    anchors = by_anchor[0].sum() / by_anchor[1].sum()
    return Tuples(values.sum(), {"softmax": part}, anchors, trivial=trivial)


def part_and_active(
    values: Tensor, valid: Tensor, above: float = ACTIVE_EPS
) -> tuple[Part, Tensor]:
    """Return the part of losses, and a mask of the active tuples: those with a loss above the
    bound."""
    active = values.detach() > above
    return Part(values.detach().sum(), active.sum(), valid.sum()), active


def check_label_range(labels: Tensor, classes: int) -> None:
    """Check that labels are 0 to classes - 1; not on a GPU, which would have to be waited for.

    Raises:
        InputError: a label is outside; says which range was given.
    """
    if labels.is_cuda:
        return
    low, high = (int(end) for end in labels.aminmax())
    if low < 0 or high >= classes:
        raise InputError(f"labels: expected 0 to {classes - 1}, got {low} to {high}")
