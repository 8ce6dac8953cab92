"""The layouts of one projection: one for every arm and epoch, all aligned with one another."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.projection.methods import Points, layout_method

Embeddings = NDArray[np.floating[Any]]
Snapshots = Sequence[Sequence[Embeddings]]
"""By arm, then by epoch: embeddings [N, D] of the same samples; D may differ between arms."""


def project(
    snapshots: Snapshots,
    *,
    method: str,
    dims: int,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Compute coordinates of all snapshots; the same for the same snapshots and seed.

    The layout of an epoch starts from that of the epoch before. The epochs of the first arm are
    aligned with one another; each epoch of another arm is aligned with that of the first.

    Args:
        snapshots: what is projected.
        method: pca, tsne or pacmap.
        dims: 2 or 3.
        seed: of the numbers that the method draws.
        on_progress: takes the share that is done, 0 to 1; may raise to stop the computation.

    Returns:
        [arms, epochs, N, dims], each layout centred at its mean.
    """
    layout = layout_method(method)
    total, done = sum(map(len, snapshots)), 0
    arms: list[list[Points]] = []
    for epochs in snapshots:
        layouts: list[Points] = []
        start: Points | None = None
        for embeddings in epochs:
            before = done / total
            start = layout(
                np.asarray(embeddings, dtype=np.float64),
                dims,
                seed,
                start,
                lambda share, before=before: on_progress(before + share / total),  # type: ignore[misc]
            )
            target = arms[0][len(layouts)] if arms else layouts[-1] if layouts else start
            layouts.append(align(start, target))
            done += 1
        arms.append(layouts)
    return np.asarray(arms, dtype=np.float32)


def align(points: Points, target: Points) -> Points:
    """Rotate and mirror points [N, d] about their mean to lie nearest to the target [N, d].

    Orthogonal Procrustes (Schönemann 1966): the R with R^T R = I that minimises ||P R - T||, with P
    and T centred at their means. Distances between points stay as they are; nothing is scaled, so
    that a wider space is shown wider.

    Returns:
        [N, d], centred at its mean.
    """
    centred, centred_target = points - points.mean(axis=0), target - target.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ centred_target)
    rotated: Points = centred @ (left @ right)
    return rotated
