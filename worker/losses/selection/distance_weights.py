"""Drawing negatives so that their distances are spread evenly.

Wu, Manmatha, Smola & Krahenbuhl 2017, "Sampling Matters in Deep Embedding Learning": a negative at
distance d from its anchor, both at length 1, is drawn with a probability proportional to
min(lambda, 1 / q(d)). q is the density of the distance of two random points on the unit sphere in
D dimensions, q(d) ~ d^(D-2) (1 - d^2 / 4)^((D-3)/2).
"""

from typing import Final

import torch
from torch import Tensor

from worker.losses.batch import Batch
from worker.losses.distances import squared_distances, unit

CUTOFF: Final = 0.5
"""Nearer negatives weigh as if they were this far: lambda is 1 / q(CUTOFF). As in the paper."""
BEYOND: Final = 1.4
"""Negatives at this distance or farther are not drawn, as in the paper's published code: two
random points are sqrt(2) apart, and most have no loss."""
LAST_RESORT: Final = -1e6
"""Logarithm of the weight of those, and far below every other: they are drawn, each as likely,
where an anchor has no nearer negative left."""


def log_weights(batch: Batch) -> Tensor:
    """[B, M] float64: logarithm of the weight of each negative, up to a constant; -inf for what is
    no negative of the anchor."""
    anchors = unit(batch.anchors.detach())
    others = None if batch.own else unit(batch.others.detach())
    distances = squared_distances(anchors, others).to(torch.float64).sqrt_()
    weights = log_inverse_density(distances.clamp(min=CUTOFF), batch.anchors.shape[1])
    weights.masked_fill_(~(distances < BEYOND), LAST_RESORT)  # so written, a NaN has no weight
    return weights.masked_fill_(~batch.negative, -torch.inf)


def log_inverse_density(distances: Tensor, dim: int) -> Tensor:
    """-log q(d) for distances of unit vectors of `dim` dimensions, up to a constant."""
    return (2 - dim) * distances.log() - (dim - 3) / 2 * torch.log1p(-distances.square() / 4)
