"""Measures of embeddings: plain functions from tensors to values by metric key.

`compare` is the paired comparison of two arms over seeds. Embeddings are [N, D] float32 or float64,
labels [N] integers; wrong inputs raise `InputError`.
"""

from contract.statistics import PairedDifference, compare
from worker.measure.classification import classification, knn_leave_one_out
from worker.measure.clustering import clustering
from worker.measure.confusion import Confusions, confusion_of, confusions, nearest_others
from worker.measure.cross_modal import chance, cross_modal
from worker.measure.dimensions import smaller_embeddings
from worker.measure.geometry import geometry, geometry_of_tuples, per_class_variance
from worker.measure.pair_distances import Histograms, distance_histograms
from worker.measure.retrieval import detail, left_out, retrieval
from worker.measure.tuples import retrieval_of_positives, score_correlation
from worker.measure.verification import (
    PairCounts,
    at_threshold,
    best_threshold,
    count_pairs,
    counts_of,
    threshold_figures,
    verification,
    verification_figures,
)

__all__ = [
    "Confusions",
    "Histograms",
    "PairCounts",
    "PairedDifference",
    "at_threshold",
    "best_threshold",
    "chance",
    "classification",
    "clustering",
    "compare",
    "confusion_of",
    "confusions",
    "count_pairs",
    "counts_of",
    "cross_modal",
    "detail",
    "distance_histograms",
    "geometry",
    "geometry_of_tuples",
    "knn_leave_one_out",
    "left_out",
    "nearest_others",
    "per_class_variance",
    "retrieval",
    "retrieval_of_positives",
    "score_correlation",
    "smaller_embeddings",
    "threshold_figures",
    "verification",
    "verification_figures",
]
