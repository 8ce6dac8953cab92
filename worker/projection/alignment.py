"""Turns one set of coordinates to lie over another, as far as turning and mirroring can."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def aligned(points: Points, target: Points) -> Points:
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
