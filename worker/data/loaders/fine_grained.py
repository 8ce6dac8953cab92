"""The pool that all loaders of fine-grained image sets return."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from contract.comparison.data.kinds import FineGrained
from worker.data.dataset import ImageFiles, Pool
from worker.data.splits import split


def fine_grained_pool(
    spec: FineGrained,
    paths: Sequence[Path],
    class_ids: Sequence[int],
    *,
    training_classes: int | None = None,
    resplit: bool = False,
) -> Pool:
    """Build a pool of image files with labels 0 to C - 1 in the order of the official class ids.

    Args:
        spec: how the data are split.
        paths: the image files.
        class_ids: the official class id of each image.
        training_classes: number of first classes that train, with a split by class; by default
            half of them, rounded down.
        resplit: draw as many classes by the seed, instead of the first.

    Raises:
        DataError: too few classes or images for this split.
    """
    labels = np.unique(np.asarray(class_ids, dtype=np.int64), return_inverse=True)[1]
    indices = split(
        labels,
        by=spec.split,
        validation=spec.validation,
        seed=spec.seed,
        training_classes=training_classes,
        draw_classes=resplit,
    )
    return Pool(
        ImageFiles(tuple(paths)),
        torch.from_numpy(labels),
        indices,
        class_disjoint=spec.split == "class",
    )
