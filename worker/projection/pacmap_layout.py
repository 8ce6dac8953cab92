"""PaCMAP, as its authors compute it."""

import logging
import warnings
from typing import Final

import numpy as np
from pacmap import PaCMAP

from worker.projection.methods import OnProgress, Points
from worker.projection.pca import MIN_SAMPLES, components, initial_layout

NEIGHBOURS: Final = 10

logging.getLogger("pacmap").setLevel(logging.ERROR)


def layout(
    embeddings: Points, dims: int, seed: int, start: Points | None, on_progress: OnProgress
) -> Points:
    """PaCMAP (Wang et al. 2021) with ten neighbours."""
    if len(embeddings) < MIN_SAMPLES or not np.ptp(embeddings, axis=0).any():
        return components(embeddings, dims)
    missing = max(0, dims - embeddings.shape[1])  # it starts from as many axes as it gives
    embeddings = np.pad(embeddings, ((0, 0), (0, missing)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a fixed seed costs speed
        found = PaCMAP(
            n_components=dims,
            n_neighbors=min(NEIGHBOURS, len(embeddings) - 2),
            apply_pca=False,
            random_state=seed,
        ).fit_transform(
            embeddings.astype(np.float32),
            init=initial_layout(embeddings, dims, start).astype(np.float32),
        )
    on_progress(1.0)
    return np.asarray(found, dtype=np.float64)
