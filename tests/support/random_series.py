"""Random series of a run, which fall or rise as real ones do, with noise."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

EVALUATED: Final = {
    "geometry.intra_class_variance": 0.2,
    "geometry.inter_class_variance": 0.7,
    "geometry.variance_ratio": 3.5,
    "geometry.alignment": 0.4,
    "geometry.uniformity": -2.5,
    "geometry.effective_rank": 8.0,
    "geometry.hubness": 0.6,
    "classification.knn_accuracy_1": 0.93,
    "classification.knn_accuracy_5": 0.94,
    "classification.linear_probe_accuracy": 0.92,
    "retrieval.recall_at_1": 0.93,
    "retrieval.recall_at_2": 0.95,
    "retrieval.recall_at_4": 0.97,
    "retrieval.recall_at_8": 0.98,
    "retrieval.r_precision": 0.75,
    "retrieval.map_at_r": 0.7,
    "clustering.nmi": 0.8,
    "clustering.ami": 0.79,
}
"""Metric measured at every epoch -> about its last value."""

Numbers = NDArray[np.float64]
Curves = dict[str, tuple[list[int], list[float | None]]]


def random_series(place: int, epochs: int, steps_per_epoch: int) -> Curves:
    """Return metric key -> steps, values; `place` is that of the run in its comparison."""
    random = np.random.default_rng([3, place])
    every = np.arange(0, epochs * steps_per_epoch + 1)
    fall = np.exp(-3 * every / max(1, every[-1]))
    made: dict[str, tuple[NDArray[np.int_], Numbers]] = {
        "dynamics.loss": (every, 0.1 + fall + random.normal(0, 0.02, len(every))),
        "dynamics.active_ratio": (every, np.clip(0.1 + 0.8 * fall, 0, 1)),
        "dynamics.gradient_norm": (every, 0.5 + 2 * fall + random.normal(0, 0.05, len(every))),
        "run.elapsed_s": (every[1:], every[1:].astype(np.float64) / 100),
    }
    whole = np.arange(0, epochs + 1)
    rise = 1 - 0.8 * np.exp(-3 * whole / max(1, epochs))
    for key, end in EVALUATED.items():
        level = end * (1 - 0.03 * (place % 3)) * rise
        values = level + random.normal(0, 0.005 * abs(end), len(whole))
        made[key] = whole * steps_per_epoch, values
        made[f"test.{key}"] = whole[-1:] * steps_per_epoch, values[-1:] * 0.99
    return {key: (steps.tolist(), values.tolist()) for key, (steps, values) in made.items()}
