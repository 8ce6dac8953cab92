"""Geometry of an embedding space: how wide the classes are, how far apart, how they fill it."""

import torch
from torch import Tensor

from worker.measure.inputs import check_pairs
from worker.measure.structure import structure


@torch.no_grad()
def geometry(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Class variances (arXiv 2510.02161), raw and scale-free, and the structure of the space.

    intra = mean over classes of the mean squared distance to the class mean;
    inter = mean squared distance between two different class means;
    scale-free = divided by the mean squared norm, 1 for unit vectors.
    For the other keys see `worker.measure.structure.structure`: those that need all pairs use a
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
