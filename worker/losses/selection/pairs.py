"""The pairs trained on."""

import torch
from torch import Tensor

from contract.comparison.loss import Selection
from worker.losses.batch import Batch
from worker.losses.selection import draws
from worker.losses.selection.distance_weights import log_weights
from worker.losses.triplet_weights import triplet_weights


def select_pairs(
    selection: Selection,
    batch: Batch,
    distances: Tensor,
    margin: float,
    generator: torch.Generator | None,
) -> Tensor:
    """The selection's pairs.

    Args:
        selection: sampled, semi_hard, batch_hard or distance_weighted.
        batch: the anchors and their others.
        distances: [B, M], the compared ones.
        margin: of the loss.
        generator: a CPU one, for those that are drawn.

    Returns:
        [B, M] bool; where a batch is compared with itself symmetric, a pair standing there twice.
    """
    if selection == "sampled":
        return batch.positive | _sampled(batch, generator)
    if selection == "semi_hard":
        others = None if batch.own else batch.other_labels
        weights = triplet_weights(
            distances, batch.labels, margin, other_labels=others, semi_hard=True
        )
        return batch.positive | _either_way(weights < 0, batch)
    if selection == "batch_hard":
        return _either_way(_hardest(batch, distances), batch)
    return batch.positive | _either_way(_distance_weighted_pairs(batch, generator), batch)


def _either_way(picked: Tensor, batch: Batch) -> Tensor:
    """What either member of a pair picked."""
    return picked | picked.T if batch.own else picked


def _sampled(batch: Batch, generator: torch.Generator | None) -> Tensor:
    """As many negative pairs as there are positive ones."""
    once = batch.negative.triu() if batch.own else batch.negative
    found = once.nonzero()
    count = int(batch.positive.sum()) // (2 if batch.own else 1)
    picks = torch.randperm(len(found), generator=generator)[:count].to(found.device)
    picked = torch.zeros_like(once)
    picked[found[picks, 0], found[picks, 1]] = True
    return _either_way(picked, batch)


def _hardest(batch: Batch, distances: Tensor) -> Tensor:
    """Each anchor's farthest positive and nearest negative."""
    picked = torch.zeros_like(batch.same)
    picked.scatter_(1, draws.farthest(distances, batch.positive)[:, None], value=True)
    picked &= batch.positive  # an anchor without a positive has no farthest one
    hard = torch.zeros_like(batch.same)
    hard.scatter_(1, draws.nearest(distances, batch.negative)[:, None], value=True)
    return picked | (hard & batch.negative)


def _distance_weighted_pairs(batch: Batch, generator: torch.Generator | None) -> Tensor:
    """For each anchor as many negatives as it has positives.

    The largest of log weight + Gumbel noise are a draw without replacement, one after the other
    with probabilities in proportion to the weights of those left (Kool, van Hoof & Welling 2019).
    """
    wanted = batch.positive.sum(dim=1, keepdim=True)
    most = int(wanted.max())
    uniforms = draws.uniform(tuple(batch.same.shape), generator, batch.same.device)
    noise = -torch.log(-torch.log(uniforms.clamp_(min=torch.finfo(uniforms.dtype).tiny)))
    best = (log_weights(batch) + noise).topk(most, dim=1).indices
    taken = torch.arange(most, device=best.device) < wanted
    picked = torch.zeros_like(batch.same).scatter_(1, best, taken)
    return picked & batch.negative  # fewer, if it has fewer
