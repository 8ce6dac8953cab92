"""Geometry of an embedding space: how wide the classes are and how far apart."""

import torch
from torch import Tensor

from worker.measure.inputs import check_pairs


def geometry(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Intra- and inter-class variance (arXiv 2510.02161), raw and scale-free, and their ratio.

    intra = mean over classes of the mean squared distance to the class mean;
    inter = mean squared distance between two different class means;
    scale-free = divided by the mean squared norm, 1 for unit vectors.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers; a class with one member counts with variance 0.

    Returns:
        `geometry.*` by metric key. With one class only there is no inter-class variance: it and
        the ratio are left out, as is the ratio where all class means coincide.

    Raises:
        InputError: names the argument and what was seen.
    """
    check_pairs(embeddings, labels)
    points = embeddings.to(torch.float64)
    _, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    count = len(sizes)
    means = points.new_zeros(count, points.shape[1]).index_add_(0, classes, points)
    means /= sizes[:, None]
    spread = (points - means[classes]).square().sum(dim=1)
    intra = (points.new_zeros(count).index_add_(0, classes, spread) / sizes).mean()
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
