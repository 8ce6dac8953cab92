"""Selections: which of a batch's valid tuples are trained on, where not all of them are.

D is the distance that a loss compares: the squared Euclidean distance for triplets, the Euclidean
distance for pairs, and 1 - cos for both with the cosine distance; m is the margin. An anchor that
is compared with items of another modality has its positives and negatives among these; a pair is
then an anchor and an item of the other modality.

sampled
    Triplets: one for each anchor that has a positive and a negative, both drawn uniformly.
    Pairs: all positive ones, and the same number of negative ones, drawn uniformly without
    replacement (all, if there are fewer).
semi_hard (Schroff, Kalenichenko & Philbin 2015)
    Triplets: all with D_ap < D_an < D_ap + m.
    Pairs: all positive ones, and those negative ones for which this holds with one of the two items
    as the anchor (between modalities: with the anchor) and at least one of its positives.
batch_hard (Hermans, Beyer & Leibe 2017)
    Triplets: for each anchor its farthest positive with its nearest negative.
    Pairs: for each anchor its farthest positive and its nearest negative.
    Of several at the same distance, the one with the lowest index.
distance_weighted (Wu, Manmatha, Smola & Krahenbuhl 2017; see below)
    Triplets: for each anchor and positive one negative, drawn by its distance.
    Pairs: all positive ones, and for each anchor as many negatives as it has positives, drawn by
    their distance without replacement (all, if there are fewer).

A pair that both of its items pick is trained on once. Random numbers are drawn on the CPU, so that
a generator in one state picks the same tuples on every device (up to rounding of the distances).

distance_weighted draws negatives so that their distances are spread evenly: a negative at distance
d from its anchor, both scaled to length 1, is drawn with a probability proportional to
min(lambda, 1 / q(d)). q is the density of the distance between two random points on the unit sphere
in D dimensions, q(d) ~ d^(D-2) (1 - d^2 / 4)^((D-3)/2).
"""

from typing import Final

import torch
from torch import Tensor

from contract.comparison.loss import Selection
from worker.losses.batch import Batch, ClassMembers
from worker.losses.distances import squared_distances, unit_vectors
from worker.losses.triplet_weights import triplet_weights
from worker.torch_utils import to_device

CUTOFF: Final = 0.5
"""Nearer negatives get the weight of this distance: lambda is 1 / q(CUTOFF). As in the paper."""

MAX_DISTANCE: Final = 1.4
"""Negatives at this distance or farther are not drawn, as in the paper's published code: random
points are about sqrt(2) apart, and most negatives there have no loss."""

LAST_RESORT_LOG_WEIGHT: Final = -1e6
"""Logarithm of the weight of negatives beyond that distance. It is far below every other, so they
are drawn, with equal probability, only where an anchor has no nearer negative left."""


def select_pairs(
    selection: Selection,
    batch: Batch,
    distances: Tensor,
    margin: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Select the pairs to train on.

    Args:
        selection: sampled, semi_hard, batch_hard or distance_weighted.
        batch: the anchors and the others.
        distances: [B, M] distances that the loss compares.
        margin: margin of the loss.
        generator: a CPU generator, for selections that draw.

    Returns:
        [B, M] bool mask; symmetric where a batch is compared with itself, so that it holds each
        pair twice.
    """
    if selection == "sampled":
        return batch.positive | _draw_negative_pairs(batch, generator)
    if selection == "semi_hard":
        others = None if batch.against_itself else batch.other_labels
        weights = triplet_weights(
            distances, batch.labels, margin, other_labels=others, semi_hard=True
        )
        return batch.positive | _picked_by_either(weights < 0, batch)
    if selection == "batch_hard":
        return _picked_by_either(_hardest_pairs(batch, distances), batch)
    return batch.positive | _picked_by_either(
        _draw_distance_weighted_pairs(batch, generator), batch
    )


def _picked_by_either(picked: Tensor, batch: Batch) -> Tensor:
    """Return the pairs that at least one of their two items picked."""
    return picked | picked.T if batch.against_itself else picked


def _draw_negative_pairs(batch: Batch, generator: torch.Generator | None) -> Tensor:
    """Draw as many negative pairs as there are positive ones."""
    once = batch.negative.triu() if batch.against_itself else batch.negative
    found = once.nonzero()
    count = int(batch.positive.sum()) // (2 if batch.against_itself else 1)
    picks = torch.randperm(len(found), generator=generator)[:count].to(found.device)
    picked = torch.zeros_like(once)
    picked[found[picks, 0], found[picks, 1]] = True
    return _picked_by_either(picked, batch)


def _hardest_pairs(batch: Batch, distances: Tensor) -> Tensor:
    """Pick each anchor's farthest positive and nearest negative."""
    picked = torch.zeros_like(batch.same_class)
    picked.scatter_(1, farthest(distances, batch.positive)[:, None], value=True)
    picked &= batch.positive  # an anchor without a positive has no farthest one
    hard = torch.zeros_like(batch.same_class)
    hard.scatter_(1, nearest(distances, batch.negative)[:, None], value=True)
    return picked | (hard & batch.negative)


def _draw_distance_weighted_pairs(batch: Batch, generator: torch.Generator | None) -> Tensor:
    """Draw for each anchor as many negatives as it has positives.

    The items with the largest log weight + Gumbel noise are a draw without replacement, one after
    the other with probabilities in proportion to the weights of those left (Kool, van Hoof &
    Welling 2019).
    """
    wanted = batch.positive.sum(dim=1, keepdim=True)
    most = int(wanted.max())
    uniforms = draw_uniform(tuple(batch.same_class.shape), generator, batch.same_class.device)
    noise = -torch.log(-torch.log(uniforms.clamp_(min=torch.finfo(uniforms.dtype).tiny)))
    best = (log_sampling_weights(batch) + noise).topk(most, dim=1).indices
    taken = torch.arange(most, device=best.device) < wanted
    picked = torch.zeros_like(batch.same_class).scatter_(1, best, taken)
    return picked & batch.negative  # an anchor with fewer negatives gets fewer


def select_triplets(
    selection: Selection, batch: Batch, distances: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Select the triplets to train on, for the selections that list them.

    Args:
        selection: sampled, batch_hard or distance_weighted.
        batch: the anchors and the others.
        distances: [B, M] distances that the loss compares.
        generator: a CPU generator, for selections that draw.

    Returns:
        [3, T] indices of anchor, positive and negative, in the order of the anchors.
    """
    if selection == "distance_weighted":
        return _draw_distance_weighted_triplets(batch, generator)
    if selection == "batch_hard":
        positives = farthest(distances, batch.positive)
        negatives = nearest(distances, batch.negative)
    else:
        uniforms = draw_uniform((2, len(distances)), generator, distances.device)
        positives = draw_column_per_row(batch.positive, uniforms[0])
        negatives = draw_column_per_row(batch.negative, uniforms[1])
    anchors = (batch.positive.any(dim=1) & batch.negative.any(dim=1)).nonzero().squeeze(1)
    return torch.stack((anchors, positives[anchors], negatives[anchors]))


def _draw_distance_weighted_triplets(batch: Batch, generator: torch.Generator | None) -> Tensor:
    """Draw a negative for each anchor and positive, by inverting the cumulative sum of weights."""
    weights = log_sampling_weights(batch)
    weights -= weights.amax(dim=1, keepdim=True).clamp_(min=torch.finfo(weights.dtype).min)
    upto = weights.exp_().cumsum(dim=1)
    columns, exists = ClassMembers.from_batch(batch).class_columns()
    everything = upto[:, -1:].contiguous()
    at = draw_uniform((len(columns), columns.shape[1]), generator, columns.device) * everything
    # Kept below the sum in spite of rounding; the first column beyond `at` has a weight above 0.
    at = at.minimum(everything.nextafter(torch.zeros_like(everything)))
    negatives = torch.searchsorted(upto, at, right=True).clamp_(max=upto.shape[1] - 1)
    valid = exists & batch.negative.any(dim=1, keepdim=True)
    anchors = valid.nonzero()[:, 0]
    return torch.stack((anchors, columns[valid], negatives[valid]))


def log_sampling_weights(batch: Batch) -> Tensor:
    """Return [B, M] float64 logarithms of each negative's weight, up to a constant; -inf where an
    item is no negative of the anchor."""
    anchors = unit_vectors(batch.anchors.detach())
    others = None if batch.against_itself else unit_vectors(batch.others.detach())
    distances = squared_distances(anchors, others).to(torch.float64).sqrt_()
    weights = log_inverse_density(distances.clamp(min=CUTOFF), batch.anchors.shape[1])
    weights.masked_fill_(
        ~(distances < MAX_DISTANCE), LAST_RESORT_LOG_WEIGHT
    )  # written so that a NaN is filled too
    return weights.masked_fill_(~batch.negative, -torch.inf)


def log_inverse_density(distances: Tensor, dim: int) -> Tensor:
    """Return -log q(d) for distances of unit vectors in `dim` dimensions, up to a constant."""
    return (2 - dim) * distances.log() - (dim - 3) / 2 * torch.log1p(-distances.square() / 4)


def draw_uniform(
    shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device
) -> Tensor:
    """Draw float64 numbers in [0, 1), always on the CPU, and send them to the device."""
    return to_device(torch.rand(shape, generator=generator, dtype=torch.float64), device)


def draw_column_per_row(mask: Tensor, uniforms: Tensor) -> Tensor:
    """Pick a column of each row where the mask [B, M] holds, with equal probability.

    Args:
        mask: [B, M] bool.
        uniforms: [B] uniform random numbers that decide the columns.

    Returns:
        [B] columns; an arbitrary one for a row where the mask holds nowhere.
    """
    upto = mask.cumsum(dim=1)
    ranks = (uniforms * upto[:, -1]).to(torch.int64) + 1
    return torch.searchsorted(upto, ranks[:, None]).squeeze(1).clamp_(max=mask.shape[1] - 1)


def farthest(distances: Tensor, mask: Tensor) -> Tensor:
    """Return the column [B] of the largest distance where the mask holds, the first of equals."""
    return distances.masked_fill(~mask, -torch.inf).argmax(dim=1)


def nearest(distances: Tensor, mask: Tensor) -> Tensor:
    """Return the column [B] of the smallest distance where the mask holds, the first of equals."""
    return distances.masked_fill(~mask, torch.inf).argmin(dim=1)
