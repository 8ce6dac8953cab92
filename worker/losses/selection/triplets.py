"""The triplets trained on, listed, for selections of few of them."""

import torch
from torch import Tensor

from contract.comparison.loss import Selection
from worker.losses.batch import Batch
from worker.losses.positives import Members
from worker.losses.selection import draws
from worker.losses.selection.distance_weights import log_weights


def select_triplets(
    selection: Selection, batch: Batch, distances: Tensor, generator: torch.Generator | None
) -> Tensor:
    """The selection's triplets.

    Args:
        selection: sampled, batch_hard or distance_weighted.
        batch: the anchors and their others.
        distances: [B, M], the compared ones.
        generator: a CPU one, for those that are drawn.

    Returns:
        [3, T] indices of anchor, positive and negative, in the order of the anchors.
    """
    if selection == "distance_weighted":
        return _distance_weighted_triplets(batch, generator)
    if selection == "batch_hard":
        positives = draws.farthest(distances, batch.positive)
        negatives = draws.nearest(distances, batch.negative)
    else:
        uniforms = draws.uniform((2, len(distances)), generator, distances.device)
        positives = draws.one_of_each_row(batch.positive, uniforms[0])
        negatives = draws.one_of_each_row(batch.negative, uniforms[1])
    anchors = (batch.positive.any(dim=1) & batch.negative.any(dim=1)).nonzero().squeeze(1)
    return torch.stack((anchors, positives[anchors], negatives[anchors]))


def _distance_weighted_triplets(batch: Batch, generator: torch.Generator | None) -> Tensor:
    """A negative for each anchor and positive, by the inverse of the weights' cumulative sum."""
    weights = log_weights(batch)
    weights -= weights.amax(dim=1, keepdim=True).clamp_(min=torch.finfo(weights.dtype).min)
    upto = weights.exp_().cumsum(dim=1)
    columns, exists = Members.of_batch(batch).listed()
    everything = upto[:, -1:].contiguous()
    at = draws.uniform((len(columns), columns.shape[1]), generator, columns.device) * everything
    # Below the sum in spite of rounding; the first beyond `at` has a weight of its own.
    at = at.minimum(everything.nextafter(torch.zeros_like(everything)))
    negatives = torch.searchsorted(upto, at, right=True).clamp_(max=upto.shape[1] - 1)
    valid = exists & batch.negative.any(dim=1, keepdim=True)
    anchors = valid.nonzero()[:, 0]
    return torch.stack((anchors, columns[valid], negatives[valid]))
