"""How embeddings become coordinates: which module holds which method.

Turns one set of coordinates to lie over another, as far as turning and mirroring can.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def align(points: Points, target: Points) -> Points:
    """Points [N, d] turned and mirrored about their mean to lie nearest to the target [N, d].

    Orthogonal Procrustes (Schönemann 1966): the R with R^T R = I that minimises ||P R - T||, of P
    and T about their means. Distances between points stay as they are; nothing is scaled, so that
    a wider space is shown wider.

    Returns:
        [N, d], about its mean.
    """
    own, other = points - points.mean(axis=0), target - target.mean(axis=0)
    left, _, right = np.linalg.svd(own.T @ other)
    turned: Points = own @ (left @ right)
    return turned


OnProgress = Callable[[float], None]
"""Takes how much of one layout is done, 0 to 1; may raise to end it."""

LayoutMethod = Callable[[Points, int, int, Points | None, OnProgress], Points]
"""Embeddings [N, D] float64, how many axes, a seed, coordinates [N, d] to start from or None, and
whom to tell: gives coordinates [N, d]."""

MODULES: Final = {
    "pca": "worker.projection.pca",
    "tsne": "worker.projection.tsne",
    "pacmap": "worker.projection.pacmap_layout",
}
"""Kind -> the module whose `layout` computes it, imported when it is first asked for: some take
seconds, for which PCA must not wait."""


def layout_method(kind: str) -> LayoutMethod:
    """The method of that kind."""
    layout: LayoutMethod = import_module(MODULES[kind]).layout
    return layout
