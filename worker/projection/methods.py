"""Methods of projection: what they have in common, and principal components, the simplest of them.

t-SNE and PaCMAP have a module each: their libraries take seconds to import, which a projection by
principal components must not wait for.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

OnProgress = Callable[[float], None]
"""Takes the share of one layout that is done, 0 to 1; may raise to stop it."""

LayoutMethod = Callable[[Points, int, int, Points | None, OnProgress], Points]
"""Computes coordinates [N, d] of embeddings [N, D] float64, from: the embeddings, the number of
dimensions d, a seed, coordinates [N, d] to start from or None, and where to report progress."""

MODULES: Final = {
    "pca": __name__,
    "tsne": "worker.projection.tsne",
    "pacmap": "worker.projection.pacmap_layout",
}
"""Kind of method -> the module whose `layout` computes it, imported at its first use."""

START_SD: Final = 1e-4
"""Standard deviation of the first axis of an initial layout (Kobak & Berens 2019)."""
MIN_SAMPLES: Final = 8
"""With fewer samples, neighbours mean nothing, and PCA replaces the methods that need them."""


def layout_method(kind: str) -> LayoutMethod:
    """Return the method of a kind."""
    method: LayoutMethod = import_module(MODULES[kind]).layout
    return method


def layout(
    embeddings: Points, dims: int, _seed: int, _start: Points | None, on_progress: OnProgress
) -> Points:
    """Project on the `dims` principal components. Nothing is drawn, and no start is needed."""
    coordinates = principal_components(embeddings, dims)
    on_progress(1.0)
    return coordinates


def principal_components(embeddings: Points, dims: int) -> Points:
    """Return embeddings [N, D] along their first principal axes, [N, dims].

    Each axis points to where its largest loading is positive, so the same embeddings always give
    the same coordinates. Axes that the embeddings lack are zero.
    """
    centred = embeddings - embeddings.mean(axis=0)
    directions = _principal_axes(centred)[:dims]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    found = centred @ (directions * np.where(signs == 0, 1, signs)[:, None]).T
    coordinates: Points = np.pad(found, ((0, 0), (0, dims - found.shape[1])))
    return coordinates


def _principal_axes(centred: Points) -> Points:
    """Return the principal axes of centred embeddings [N, D] as rows, that of most variance first.

    Where there are more samples than dimensions they are the eigenvectors of the D x D covariance,
    found in a tenth of the time that the singular vectors of all samples take.
    """
    if len(centred) <= centred.shape[1]:
        directions: Points = np.linalg.svd(centred, full_matrices=False)[2]
        return directions
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes: Points = vectors.T[::-1]
    return axes


def initial_layout(embeddings: Points, dims: int, start: Points | None) -> Points:
    """Return where a method of neighbours starts: at the previous epoch's layout, or at PCA.

    Scaled to be so small that the samples are free to move.
    """
    if start is None:
        start = principal_components(embeddings, dims)
    spread = float(start[:, 0].std())
    scaled: Points = start / spread * START_SD if spread > 0 else start
    return scaled
