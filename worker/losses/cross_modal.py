"""A loss between two modalities, in both directions."""

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
    """Compute a loss from each of two modalities to the other, and add both up.

    In each direction the anchors are items of one modality, and their positives and negatives all
    items of the other.

    Args:
        loss: any loss.
        audio: [B, D] embeddings of the first modality.
        visual: [B, D] embeddings of the second; row i belongs to the same thing as row i of
            `audio`.
        labels: [B] integers, the labels of both.
        generator: passed on to the loss.
        check_values: passed on to the loss.

    Returns:
        The output with counts and totals added up. Its value is the sum of the values of both
        directions where these divide by the same number, as the reductions "sum" and "mean" do;
        with "mean_active" it is twice the mean over the active tuples of both directions. With
        "balanced" it is the sum of the values too, each the weighted means over the pairs of its
        own direction.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
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
    if there.divisor is None or back.divisor is None:
        value, divisor = there.value + back.value, None
    else:
        divisor = (there.divisor + back.divisor) / 2
        value = (there.value * there.divisor + back.value * back.divisor) / divisor
    selected = trivial = None
    if there.selected is not None and back.selected is not None:
        selected = _add_parts(there.selected, back.selected)
    if there.trivial is not None and back.trivial is not None:
        trivial = there.trivial + back.trivial
    return LossOutput(
        value=value,
        parts=_add_parts(there.parts, back.parts),
        selected=selected,
        # Both directions have the same number of anchors.
        active_anchors=(there.active_anchors + back.active_anchors) / 2,
        divisor=divisor,
        pushing_anchors=(there.pushing_anchors + back.pushing_anchors) / 2,
        trivial=trivial,
        pull_weight=there.pull_weight,
        knows_anchors=there.knows_anchors,
    )


def _add_parts(ones: dict[str, Part], others: dict[str, Part]) -> dict[str, Part]:
    return {
        name: Part(
            one.total + others[name].total,
            one.active + others[name].active,
            one.valid + others[name].valid,
        )
        for name, one in ones.items()
    }
