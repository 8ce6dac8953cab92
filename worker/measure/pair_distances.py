"""How far positive and negative pairs lie apart."""

from typing import NamedTuple

import torch
from torch import Tensor

from worker.errors import InputError
from worker.measure.inputs import check_classes, check_pairs
from worker.measure.pair_chunks import PAIR_ITEMS, centred, squared_distances, subset


class Histograms(NamedTuple):
    """Distances of positive and of negative pairs over common bins."""

    edges: Tensor
    """[bins + 1], rising, in units of distance."""
    positive: Tensor
    """[bins] how many pairs of one class; a bin's upper edge belongs to the next, but for the
    last."""
    negative: Tensor
    """[bins] how many pairs of two classes."""

    @property
    def overlap(self) -> float | None:
        """Area that the two share, each normalised to an area of 1; None where one is empty."""
        if not (self.positive.any() and self.negative.any()):
            return None
        positive, negative = (part / part.sum() for part in (self.positive, self.negative))
        return float(torch.minimum(positive, negative).sum())


@torch.no_grad()
def distance_histograms(embeddings: Tensor, labels: Tensor, bins: int = 100) -> Histograms:
    """Histograms of the Euclidean distances of positive and of negative pairs.

    The bins split the range from the smallest to the largest distance of all pairs evenly. Of more
    than 5,000 items a fixed random 5,000 are used. Where all distances are equal, the range is
    half a unit to either side.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, two classes or more, one with two members.
        bins: how many, at least 1.

    Raises:
        InputError: names the argument and what was seen.
    """
    check_pairs(embeddings, labels)
    check_classes(labels)
    if bins < 1:
        raise InputError(f"bins: expected at least 1, got {bins}")
    kept = subset(len(labels), PAIR_ITEMS).to(labels.device)
    return histograms(centred(embeddings[kept]), labels[kept], bins)


def histograms(points: Tensor, labels: Tensor, bins: int = 100) -> Histograms:
    """As `distance_histograms`, of all of the centred float64 points [N, D]."""
    ends = [torch.stack(part.aminmax()) for part, _ in squared_distances(points, labels)]
    low, high = (float(end) for end in torch.stack(ends).sqrt().aminmax())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = torch.zeros(2 * bins, dtype=torch.int64, device=points.device)
    for squared, same in squared_distances(points, labels):
        places = squared.sqrt_().sub_(low).mul_(bins / (high - low)).to(torch.int64)
        places.clamp_(max=bins - 1)
        counts += (places + bins * same).bincount(minlength=2 * bins)
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64, device=points.device)
    negative, positive = counts.view(2, bins)
    return Histograms(edges, positive, negative)
