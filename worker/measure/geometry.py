"""Geometry of an embedding space: variances of the classes, and how embeddings fill the space."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from worker.measure.inputs import check_embeddings, check_pairs
from worker.measure.neighbours import nearest_neighbours
from worker.measure.pair_distances import (
    MAX_PAIR_ITEMS,
    centred,
    fixed_subset,
    histograms,
    squared_pair_distances,
)

HUB_NEIGHBOURS: Final = 10
"""Neighbours of each item that hubness counts."""

UNIFORMITY_T: Final = 2.0
"""Factor of the squared distance in uniformity, as in Wang & Isola 2020."""


@torch.no_grad()
def geometry(embeddings: Tensor, labels: Tensor, *, all_pairs: bool = True) -> dict[str, float]:
    """Measure class variances (arXiv 2510.02161), raw and scale-free, and how the space is filled.

    intra = mean over classes of the mean squared distance to the class mean;
    inter = mean squared distance between two different class means;
    scale-free = divided by the mean squared norm, which is 1 for unit vectors.
    For the other keys see `worker.measure.geometry.structure`; those that need all pairs use a
    fixed random 5,000 of more items.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, with at least one class of two members; a class with one member
            counts with variance 0.
        all_pairs: whether to take the measures that compare all pairs too.

    Returns:
        `geometry.*` by metric key; a value that does not exist is left out. With one class there is
        no inter-class variance: it, the ratio and the distance overlap are left out. Where all
        class means coincide, the ratio is left out.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    return variances(embeddings, labels) | structure(embeddings, labels, all_pairs=all_pairs)


@torch.no_grad()
def per_class_variance(embeddings: Tensor, labels: Tensor) -> dict[int, float]:
    """Measure the variance of each class: the mean squared distance of its members to their mean.

    The mean over classes is `geometry.intra_class_variance`.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, with at least one class of two members; a class with one member has
            variance 0.

    Returns:
        Variance by label.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    known, _, intra_of = _per_class(embeddings.to(torch.float64), labels)
    return dict(zip(known.tolist(), intra_of.tolist(), strict=True))


def variances(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Measure intra- and inter-class variance, their scale-free forms and ratio, and the mean norm;
    see `geometry`."""
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
        # Over ordered pairs of C points, squared distances add up to 2 C times the sum of those to
        # their mean.
        inter = 2 * (means - means.mean(dim=0)).square().sum() / (count - 1)
        values["geometry.inter_class_variance"] = inter
        if scale > 0:
            values["geometry.inter_class_variance.scale_free"] = inter / scale
        if inter > 0:
            values["geometry.variance_ratio"] = intra / inter
    return {key: float(value) for key, value in values.items()}


def _per_class(points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distinct labels [C], the means of their items [C, D] and their variances [C]."""
    known, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    means = points.new_zeros(len(known), points.shape[1]).index_add_(0, classes, points)
    means /= sizes[:, None]
    spread = (points - means[classes]).square().sum(dim=1)
    return known, means, points.new_zeros(len(known)).index_add_(0, classes, spread) / sizes


def structure(embeddings: Tensor, labels: Tensor, *, all_pairs: bool = True) -> dict[str, float]:
    """Measure the spectrum, the pairs and the neighbours of embeddings.

    Of more than 5,000 items, the measures that need all pairs (uniformity, hubness, distance
    overlap) use a fixed random 5,000.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, with at least one class of two members.
        all_pairs: whether to take these measures.

    Returns:
        Values by metric key; a value that does not exist is left out:
        `geometry.alignment`: mean squared distance of positive pairs on the unit sphere (Wang &
        Isola 2020). A zero vector stays at the origin.
        `geometry.mean_cosine`: mean cosine over pairs i != j; a zero vector has 0 with every other.
        `geometry.uniformity`: log of the mean of exp(-2 ||z_i - z_j||^2) over pairs i != j on the
        unit sphere (ibid.).
        `geometry.effective_rank`: exp of the entropy of the normalised singular values of the
        centred embeddings (Roy & Vetterli 2007); left out where all items coincide.
        `geometry.spectral_decay`: minus the least-squares slope of log sigma_k over log k over
        the singular values that are not zero; left out for fewer than two of them.
        `geometry.hubness`: skewness of how often an item is among the ten nearest of another
        (Radovanovic et al. 2010), or among all others where there are fewer; left out where this
        is equally often for all items, or where all items coincide.
        `geometry.distance_overlap`: area shared by the normalised histograms of positive and
        negative distances, 100 bins over their common range; left out without a negative pair.
    """
    values = {"geometry.alignment": _alignment(embeddings, labels)}
    values |= _filling(embeddings, all_pairs=all_pairs)
    if all_pairs:
        kept = fixed_subset(len(labels), MAX_PAIR_ITEMS).to(labels.device)
        overlap = histograms(centred(embeddings[kept]), labels[kept]).overlap
        if overlap is not None:
            values["geometry.distance_overlap"] = overlap
    return values


@torch.no_grad()
def geometry_of_tuples(
    embeddings: Tensor, positives: Tensor, *, all_pairs: bool = True
) -> dict[str, float]:
    """Measure how embeddings without classes fill the space, and how near positive pairs are.

    Args:
        embeddings: [N, D] float32 or float64, finite, two items or more.
        positives: [P, 2] places of the pairs that belong together; may be none.
        all_pairs: whether to take the measures that compare all pairs too.

    Returns:
        `geometry.mean_norm`, `.alignment` where there is a positive pair, and what `structure`
        returns that needs no classes.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, _ = check_embeddings(embeddings, torch.zeros(len(embeddings)).long())
    values = {"geometry.mean_norm": float(embeddings.to(torch.float64).norm(dim=1).mean())}
    if len(positives):
        one, other = _unit(embeddings)[positives].unbind(1)
        values["geometry.alignment"] = float((one - other).square().sum(dim=1).mean())
    return values | _filling(embeddings, all_pairs=all_pairs)


def _filling(embeddings: Tensor, *, all_pairs: bool) -> dict[str, float]:
    """Measure what needs no labels; see `structure`."""
    values = {"geometry.mean_cosine": _mean_cosine(embeddings), **_spectrum(embeddings)}
    if not all_pairs:
        return values
    kept = fixed_subset(len(embeddings), MAX_PAIR_ITEMS).to(embeddings.device)
    some = embeddings[kept]
    values["geometry.uniformity"] = _uniformity(some)
    if (hubness := _hubness(some)) is not None:
        values["geometry.hubness"] = hubness
    return values


def _alignment(embeddings: Tensor, labels: Tensor) -> float:
    points = _unit(embeddings)
    _, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    means = points.new_zeros(len(sizes), points.shape[1]).index_add_(0, classes, points)
    means /= sizes[:, None]
    # Summed over ordered pairs of a class of n items, squared distances are 2 n times the sum of
    # the squared distances to its mean.
    squared = (points - means[classes]).square().sum(dim=1) * sizes[classes] * 2
    return float(squared.sum() / (sizes * (sizes - 1)).sum())


def _mean_cosine(embeddings: Tensor) -> float:
    # Over ordered pairs of unit vectors, cosines and squared lengths add up to the squared length
    # of the sum of all vectors.
    points = _unit(embeddings)
    whole = points.sum(dim=0).square().sum() - points.square().sum()
    return float(whole / (len(points) * (len(points) - 1)))


def _uniformity(embeddings: Tensor) -> float:
    points = _unit(embeddings)
    total = 0.0
    alike = torch.zeros(len(points), dtype=torch.int64, device=points.device)
    for squared, _ in squared_pair_distances(points, alike):
        total += float(squared.mul_(-UNIFORMITY_T).exp_().sum())
    return math.log(total / math.comb(len(points), 2))


def _unit(embeddings: Tensor) -> Tensor:
    return functional.normalize(embeddings.to(torch.float64), dim=1, eps=torch.finfo().tiny)


def _spectrum(embeddings: Tensor) -> dict[str, float]:
    singular = torch.linalg.svdvals(centred(embeddings))
    # Singular values that rounding of the embeddings alone can cause count as zero.
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
    found = torch.cat(
        [part for _, part in nearest_neighbours(points, points, k, leave_self_out=True)]
    )
    occurrences = found.flatten().bincount(minlength=len(points)).to(torch.float64)
    spread = occurrences - occurrences.mean()
    variance = spread.square().mean()
    return float(spread.pow(3).mean() / variance.pow(1.5)) if variance > 0 else None
