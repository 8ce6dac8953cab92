"""t-SNE, as openTSNE computes it."""

from typing import Any, Final

import numpy as np
from openTSNE import TSNE

from worker.projection.methods import OnProgress, Points
from worker.projection.pca import MIN_SAMPLES, components, initial_layout

PERPLEXITY: Final = 30
FIRST_STEPS: Final = (250, 500)
"""Steps of a first layout: with early exaggeration, without."""
LATER_STEPS: Final = (100, 250)
"""Steps of one that starts from the epoch before."""
PROGRESS_STEPS: Final = 25
"""Steps between two words about a layout."""
APPROXIMATE_ABOVE: Final = 1_500
"""Samples from which on approximations are faster than exact sums."""


def layout(
    embeddings: Points, dims: int, seed: int, start: Points | None, on_progress: OnProgress
) -> Points:
    """t-SNE (van der Maaten & Hinton 2008; Policar et al. 2024) with perplexity 30, or a third of
    the samples."""
    if len(embeddings) < MIN_SAMPLES:
        return components(embeddings, dims)
    exaggerated, plain = FIRST_STEPS if start is None else LATER_STEPS
    total, done = exaggerated + plain, 0

    def count(_iteration: int, _error: float, _embedding: Any) -> bool:
        nonlocal done
        done += PROGRESS_STEPS
        on_progress(min(1.0, done / total))
        return False  # go on

    many = len(embeddings) > APPROXIMATE_ABOVE
    found = TSNE(
        n_components=dims,
        perplexity=min(PERPLEXITY, (len(embeddings) - 1) / 3),
        initialization=initial_layout(embeddings, dims, start),
        early_exaggeration_iter=exaggerated,
        n_iter=plain,
        # Interpolation knows one and two dimensions only.
        negative_gradient_method="fft" if many and dims == 2 else "bh",
        neighbors="exact",
        random_state=seed,
        callbacks=count,
        callbacks_every_iters=PROGRESS_STEPS,
        n_jobs=1,
    ).fit(embeddings)
    return np.asarray(found, dtype=np.float64)
