"""Clustering: how well clusters found without labels match the classes."""

import warnings
from typing import Final

import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score
from torch import Tensor

from worker.measure.inputs import check_classes, check_embeddings, limit_to_torch_threads
from worker.measure.pair_distances import centred, fixed_subset
from worker.reporting import signs_of_life

MAX_ITEMS: Final = 10_000
"""Most items that are clustered."""
STARTS: Final = 3
"""Runs of k-means, the tightest of which is used; a single run too often ends in a poor optimum."""
MAX_ITERATIONS: Final = 100
"""Most iterations of one run."""


@torch.no_grad()
def clustering(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Measure the mutual information between the classes and k-means clusters of the same number.

    k-means (k-means++ starts, the tightest of three runs, fixed seed) clusters the embeddings as
    they are. Of more than 10,000 items a fixed random 10,000 are clustered. Fewer distinct items
    than classes give fewer clusters.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, two classes or more.

    Returns:
        `clustering.nmi`, normalised by the arithmetic mean of both entropies, and `clustering.ami`,
        adjusted for chance.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_embeddings(embeddings, labels)
    check_classes(labels)
    kept = fixed_subset(len(labels), MAX_ITEMS).to(labels.device)
    points = centred(embeddings[kept])
    if points.any():  # scaled, because squares of very small or large values leave float32's range
        points /= points.abs().amax()
    classes = labels[kept].cpu().numpy()
    means = KMeans(
        len(set(classes.tolist())), n_init=STARTS, max_iter=MAX_ITERATIONS, random_state=0
    )
    with signs_of_life.long_call(), limit_to_torch_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct items than clusters
        found = means.fit_predict(points.to(embeddings.dtype).cpu().numpy())
    return {
        "clustering.nmi": float(normalized_mutual_info_score(classes, found)),
        "clustering.ami": float(adjusted_mutual_info_score(classes, found)),
    }
