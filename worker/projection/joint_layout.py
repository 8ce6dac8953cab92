"""All arms and epochs of one question, laid over one another."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.projection.alignment import Points, aligned
from worker.projection.methods import method as method_of


def project(
    snapshots: Sequence[Sequence[Points]],
    *,
    method: str,
    dims: int,
    seed: int,
    told: Callable[[float], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Coordinates of every snapshot, the same for the same snapshots and seed.

    An epoch's layout starts from the epoch before. The first arm's epochs are turned to lie over
    one another, every other arm's to lie over the first arm's of the same epoch.

    Args:
        snapshots: by arm, then by epoch, embeddings [N, D]; the same samples in all of them, D may
            differ between arms.
        method: pca, tsne or pacmap.
        dims: 2 or 3.
        seed: of whatever the method draws.
        told: how much is done, 0 to 1; may raise to end it.

    Returns:
        [arms, epochs, N, dims], each layout about its mean.
    """
    layout = method_of(method)
    total, done = sum(map(len, snapshots)), 0
    arms: list[list[Points]] = []
    for epochs in snapshots:
        own: list[Points] = []
        start: Points | None = None
        for embeddings in epochs:
            before = done / total
            start = layout(
                np.asarray(embeddings, dtype=np.float64),
                dims,
                seed,
                start,
                lambda share, before=before: told(before + share / total),  # type: ignore[misc]
            )
            target = arms[0][len(own)] if arms else own[-1] if own else start
            own.append(aligned(start, target))
            done += 1
        arms.append(own)
    return np.asarray(arms, dtype=np.float32)
