"""A loss across two modalities, in both directions."""

import torch
from torch import Tensor

from worker.losses.base import Loss, LossOutput, Part


def two_ways(
    loss: Loss,
    audio: Tensor,
    visual: Tensor,
    labels: Tensor,
    *,
    generator: torch.Generator | None = None,
    check_values: bool = True,
) -> LossOutput:
    """The sum of both directions: anchors of one modality against all items of the other.

    Args:
        loss: any loss.
        audio: [B, D], the first modality.
        visual: [B, D], the second, row by row of the same things.
        labels: [B] integers, of both.
        generator: as the loss takes it.
        check_values: as the loss takes it.

    Returns:
        Counts and totals added up. The value is the sum of the two directions' values where both
        divide by as many tuples, as the reductions sum and mean do; of `mean_active` it is twice
        the mean over the active tuples of both.

    Raises:
        InputError: names the argument and what was seen.
    """
    there = loss(
        audio,
        labels,
        others=visual,
        other_labels=labels,
        generator=generator,
        check_values=check_values,
    )
    back = loss(
        visual,
        labels,
        others=audio,
        other_labels=labels,
        generator=generator,
        check_values=check_values,
    )
    divisor = (there.divisor + back.divisor) / 2
    total = there.value * there.divisor + back.value * back.divisor
    return LossOutput(
        total / divisor,
        _added(there.parts, back.parts),
        None
        if there.selected is None or back.selected is None
        else _added(there.selected, back.selected),
        (there.active_anchors + back.active_anchors) / 2,  # as many anchors in both
        divisor,
    )


def _added(ones: dict[str, Part], others: dict[str, Part]) -> dict[str, Part]:
    return {
        name: Part(
            one.total + others[name].total,
            one.active + others[name].active,
            one.valid + others[name].valid,
        )
        for name, one in ones.items()
    }
