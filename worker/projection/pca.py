"""Principal components: the axes of most variance."""

from typing import Final

import numpy as np

from worker.projection.methods import OnProgress, Points

START_SD: Final = 1e-4
"""Standard deviation of a start's first axis (Kobak & Berens 2019)."""
MIN_SAMPLES: Final = 8
"""Samples below which neighbours say nothing: PCA stands for the methods that need them."""


def layout(
    embeddings: Points, dims: int, _seed: int, _start: Points | None, on_progress: OnProgress
) -> Points:
    """The `dims` directions of most variance; an axis that the space lacks is zero. Nothing is
    drawn, and no start is needed."""
    found = components(embeddings, dims)
    on_progress(1.0)
    return found


def components(embeddings: Points, dims: int) -> Points:
    """Embeddings [N, D] along their first principal axes [N, dims].

    An axis points to where its largest loading is positive, so the same embeddings always give the
    same coordinates.
    """
    centred = embeddings - embeddings.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:dims]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    found = centred @ (directions * np.where(signs == 0, 1, signs)[:, None]).T
    coordinates: Points = np.pad(found, ((0, 0), (0, dims - found.shape[1])))
    return coordinates


def initial_layout(embeddings: Points, dims: int, start: Points | None) -> Points:
    """Where a method of neighbours starts: the epoch before, or PCA; so small that the samples are
    free to move."""
    if start is None:
        start = components(embeddings, dims)
    spread = float(start[:, 0].std())
    scaled: Points = start / spread * START_SD if spread > 0 else start
    return scaled
