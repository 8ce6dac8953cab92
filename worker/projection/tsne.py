"""t-SNE, computed by openTSNE."""

from typing import Any, Final

import numpy as np
from openTSNE import TSNE

from worker.projection.methods import (
    MIN_SAMPLES,
    OnProgress,
    Points,
    initial_layout,
    principal_components,
)

PERPLEXITY: Final = 30
FIRST_STEPS: Final = (250, 500)
"""Steps of a layout from the start: with early exaggeration, without."""
LATER_STEPS: Final = (100, 250)
"""Steps of a layout that starts from the previous epoch's."""
PROGRESS_STEPS: Final = 25
"""Steps between two reports of progress."""
INTERPOLATE_ABOVE: Final = 5_000
"""Number of samples above which gradients are interpolated instead of summed over a tree
(Barnes-Hut). On one core 2,000 samples take 6 s over a tree and 31 s interpolated, 5,000 samples 23
and 36 s."""


def layout(
    embeddings: Points, dims: int, seed: int, start: Points | None, on_progress: OnProgress
) -> Points:
    """Compute t-SNE (van der Maaten & Hinton 2008; Policar et al. 2024).

    The perplexity is 30, or a third of the samples if that is less.
    """
    if len(embeddings) < MIN_SAMPLES:
        return principal_components(embeddings, dims)
    exaggerated, plain = FIRST_STEPS if start is None else LATER_STEPS
    total, done = exaggerated + plain, 0

    def report(_iteration: int, _error: float, _embedding: Any) -> bool:
        nonlocal done
        done += PROGRESS_STEPS
        on_progress(min(1.0, done / total))
        return False  # do not stop

    many = len(embeddings) > INTERPOLATE_ABOVE
    coordinates = TSNE(
        n_components=dims,
        perplexity=min(PERPLEXITY, (len(embeddings) - 1) / 3),
        initialization=initial_layout(embeddings, dims, start),
        early_exaggeration_iter=exaggerated,
        n_iter=plain,
        # The library interpolates in one and two dimensions only.
        negative_gradient_method="fft" if many and dims == 2 else "bh",
        neighbors="exact",
        random_state=seed,
        callbacks=report,
        callbacks_every_iters=PROGRESS_STEPS,
        n_jobs=1,
    ).fit(embeddings)
    return np.asarray(coordinates, dtype=np.float64)
