"""Clustering: do clusters found without labels match the classes?"""

import warnings
from typing import Final

import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score
from torch import Tensor

from worker.measure.inputs import check, check_classes, torch_threads
from worker.measure.pair_distances import centred, subset

MOST_ITEMS: Final = 10_000
STARTS: Final = 3
"""Runs of k-means, of which the tightest counts; one alone stops in a poor optimum too often."""
MOST_STEPS: Final = 100
"""Per run."""


@torch.no_grad()
def clustering(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Mutual information of the classes and of as many k-means clusters, normalised and adjusted.

    k-means (k-means++, the tightest of three runs, fixed seed) on the embeddings as they are; of
    more than 10,000 items a fixed random 10,000 are clustered. Fewer distinct items than classes
    give fewer clusters.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, two classes or more.

    Returns:
        `clustering.nmi` (arithmetic mean) and `clustering.ami`.

    Raises:
        InputError: names the argument and what was seen.
    """
    check(embeddings, labels)
    check_classes(labels)
    kept = subset(len(labels), MOST_ITEMS).to(labels.device)
    points = centred(embeddings[kept])
    if points.any():  # else very small or large values would leave the range of float32 squared
        points /= points.abs().amax()
    classes = labels[kept].cpu().numpy()
    means = KMeans(len(set(classes.tolist())), n_init=STARTS, max_iter=MOST_STEPS, random_state=0)
    with torch_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct items than clusters
        found = means.fit_predict(points.to(embeddings.dtype).cpu().numpy())
    return {
        "clustering.nmi": float(normalized_mutual_info_score(classes, found)),
        "clustering.ami": float(adjusted_mutual_info_score(classes, found)),
    }
