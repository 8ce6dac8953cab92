"""How embeddings fill their space: directions, pairs, hubs."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from worker.measure.neighbours import nearest
from worker.measure.pair_chunks import PAIR_ITEMS, centred, squared_distances, subset
from worker.measure.pair_distances import histograms

HUB_NEIGHBOURS: Final = 10
UNIFORMITY_T: Final = 2.0


def structure(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """What the spectrum, the pairs and the neighbours say about a space.

    Of more than 5,000 items, those measures that need all pairs (uniformity, hubness, distance
    overlap) use a fixed random 5,000.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, with a class of two members.

    Returns:
        By metric key, without what does not exist:
        `geometry.alignment`: mean squared distance of positive pairs on the unit sphere (Wang &
        Isola 2020). A zero vector stays at the origin.
        `geometry.uniformity`: log of the mean of exp(-2 ||z_i - z_j||^2) over pairs i != j on the
        unit sphere (ibid.).
        `geometry.effective_rank`: exp of the entropy of the normalised singular values of the
        centred embeddings (Roy & Vetterli 2007); not where all items coincide.
        `geometry.spectral_decay`: minus the least-squares slope of log sigma_k over log k over
        the singular values that are not zero; not for fewer than two of them.
        `geometry.hubness`: skewness of how often an item is among the ten nearest of another
        (Radovanovic et al. 2010), all others where there are fewer; not where all are so equally
        often, nor where all items coincide.
        `geometry.distance_overlap`: area shared by the normalised histograms of positive and
        negative distances, 100 bins over their common range; not without a negative.
    """
    values = {"geometry.alignment": _alignment(embeddings, labels)}
    values |= _spectrum(embeddings)
    kept = subset(len(labels), PAIR_ITEMS).to(labels.device)
    some, of_class = embeddings[kept], labels[kept]
    values["geometry.uniformity"] = _uniformity(some, of_class)
    points = centred(some)
    if (hubness := _hubness(some)) is not None:
        values["geometry.hubness"] = hubness
    if (overlap := histograms(points, of_class).overlap) is not None:
        values["geometry.distance_overlap"] = overlap
    return values


def _alignment(embeddings: Tensor, labels: Tensor) -> float:
    points = _unit(embeddings)
    _, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    means = points.new_zeros(len(sizes), points.shape[1]).index_add_(0, classes, points)
    means /= sizes[:, None]
    # The squared distances of a class of n, over ordered pairs, add up to 2 n times those to its
    # mean.
    squared = (points - means[classes]).square().sum(dim=1) * sizes[classes] * 2
    return float(squared.sum() / (sizes * (sizes - 1)).sum())


def _uniformity(embeddings: Tensor, labels: Tensor) -> float:
    points = _unit(embeddings)
    total = 0.0
    for squared, _ in squared_distances(points, labels):
        total += float(squared.mul_(-UNIFORMITY_T).exp_().sum())
    return math.log(total / math.comb(len(points), 2))


def _unit(embeddings: Tensor) -> Tensor:
    return functional.normalize(embeddings.to(torch.float64), dim=1, eps=torch.finfo().tiny)


def _spectrum(embeddings: Tensor) -> dict[str, float]:
    singular = torch.linalg.svdvals(centred(embeddings))
    # What the rounding of the embeddings alone can give counts as zero.
    rounding = torch.finfo(embeddings.dtype).eps * embeddings.to(torch.float64).norm()
    singular = singular[singular > rounding]
    if not len(singular):
        return {}
    shares = singular / singular.sum()
    values = {"geometry.effective_rank": float(torch.exp(-(shares * shares.log()).sum()))}
    if len(singular) > 1:
        ranks = torch.arange(1, len(singular) + 1, dtype=torch.float64, device=singular.device)
        places = ranks.log() - ranks.log().mean()
        values["geometry.spectral_decay"] = float(
            -(places * singular.log()).sum() / places.square().sum()
        )
    return values


def _hubness(points: Tensor) -> float | None:
    if (points == points[0]).all():
        return None
    k = min(HUB_NEIGHBOURS, len(points) - 1)
    found = torch.cat([part for _, part in nearest(points, points, k, leave_self_out=True)])
    occurrences = found.flatten().bincount(minlength=len(points)).to(torch.float64)
    spread = occurrences - occurrences.mean()
    variance = spread.square().mean()
    return float(spread.pow(3).mean() / variance.pow(1.5)) if variance > 0 else None
