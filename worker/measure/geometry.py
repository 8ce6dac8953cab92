"""Geometry of an embedding space: how wide the classes are, how far apart, how they fill it.

How embeddings fill their space: directions, pairs, hubs.
"""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from worker.measure.inputs import check_pairs
from worker.measure.neighbours import nearest
from worker.measure.pair_distances import PAIR_ITEMS, centred, histograms, squared_distances, subset

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


@torch.no_grad()
def geometry(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Class variances (arXiv 2510.02161), raw and scale-free, and the structure of the space.

    intra = mean over classes of the mean squared distance to the class mean;
    inter = mean squared distance between two different class means;
    scale-free = divided by the mean squared norm, 1 for unit vectors.
    For the other keys see `worker.measure.geometry.structure`: those that need all pairs use a
    fixed random 5,000 of more items.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers; a class with one member counts with variance 0.

    Returns:
        `geometry.*` by metric key, without what does not exist. With one class only there is no
        inter-class variance: it, the ratio and the distance overlap are left out, as is the ratio
        where all class means coincide.

    Raises:
        InputError: names the argument and what was seen.
    """
    check_pairs(embeddings, labels)
    return variances(embeddings, labels) | structure(embeddings, labels)


def variances(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Intra- and inter-class variance, their scale-free forms and ratio, and the mean norm."""
    points = embeddings.to(torch.float64)
    _, means, intra_of = _per_class(points, labels)
    count, intra = len(means), intra_of.mean()
    scale = points.square().sum(dim=1).mean()
    values = {
        "geometry.intra_class_variance": intra,
        "geometry.mean_norm": points.norm(dim=1).mean(),
    }
    if scale > 0:
        values["geometry.intra_class_variance.scale_free"] = intra / scale
    if count > 1:
        # The sum of all squared distances of C points is 2 C times that to their own mean.
        inter = 2 * (means - means.mean(dim=0)).square().sum() / (count - 1)
        values["geometry.inter_class_variance"] = inter
        if scale > 0:
            values["geometry.inter_class_variance.scale_free"] = inter / scale
        if inter > 0:
            values["geometry.variance_ratio"] = intra / inter
    return {key: float(value) for key, value in values.items()}


@torch.no_grad()
def per_class_variance(embeddings: Tensor, labels: Tensor) -> dict[int, float]:
    """Mean squared distance of each class's members to their mean, by label.

    Their mean is `geometry.intra_class_variance`.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers; a class with one member has variance 0.

    Raises:
        InputError: names the argument and what was seen.
    """
    check_pairs(embeddings, labels)
    known, _, intra_of = _per_class(embeddings.to(torch.float64), labels)
    return dict(zip(known.tolist(), intra_of.tolist(), strict=True))


def _per_class(points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The labels there are [C], their means [C, D] and their variances [C]."""
    known, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    means = points.new_zeros(len(known), points.shape[1]).index_add_(0, classes, points)
    means /= sizes[:, None]
    spread = (points - means[classes]).square().sum(dim=1)
    return known, means, points.new_zeros(len(known)).index_add_(0, classes, spread) / sizes
