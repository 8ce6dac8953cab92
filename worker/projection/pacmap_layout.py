"""PaCMAP, computed by its authors' library."""

import logging
import warnings
from typing import Final

import numpy as np
from pacmap import PaCMAP

from worker.projection.methods import (
    MIN_SAMPLES,
    OnProgress,
    Points,
    initial_layout,
    principal_components,
)

NEIGHBOURS: Final = 10

logging.getLogger("pacmap").setLevel(logging.ERROR)


def layout(
    embeddings: Points, dims: int, seed: int, start: Points | None, on_progress: OnProgress
) -> Points:
    """Compute PaCMAP (Wang et al. 2021) with ten neighbours."""
    if len(embeddings) < MIN_SAMPLES or not np.ptp(embeddings, axis=0).any():
        return principal_components(embeddings, dims)
    # The library needs at least as many axes as it returns.
    missing = max(0, dims - embeddings.shape[1])
    embeddings = np.pad(embeddings, ((0, 0), (0, missing)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a fixed seed costs speed
        coordinates = PaCMAP(
            n_components=dims,
            n_neighbors=min(NEIGHBOURS, len(embeddings) - 2),
            apply_pca=False,
            random_state=seed,
        ).fit_transform(
            embeddings.astype(np.float32),
            init=initial_layout(embeddings, dims, start).astype(np.float32),
        )
    on_progress(1.0)
    return np.asarray(coordinates, dtype=np.float64)
