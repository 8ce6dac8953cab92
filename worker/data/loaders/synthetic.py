"""Gaussian classes of several modes, after the synthetic set of arXiv 2510.02161.

Known from summaries of the paper: 10 classes x 200 items, 128-D, mode spread 1.4, overlap 0.1,
outliers 0.05. What they leave open is decided by the defaults of the spec or here:

- class centres ~ N(0, I);
- mode centres = class centre + mode_spread * N(0, I);
- items = mode centre + within_sd * N(0, I), modes in turn;
- an overlapping item is blended half and half with a new item of another class that is drawn for
  this blend only: blending two items of the set would carry half an item into another split;
- an outlier is its mode centre + outlier_scale * within_sd * N(0, I).
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch

from contract.comparison.data import SyntheticData
from worker.data.dataset import Pool
from worker.data.splits import split_by_item
from worker.reporting.progress import Progress

BLEND: Final = 0.5
"""Weight of the other class's item in an overlapping item."""


def load(spec: SyntheticData, folder: Path, progress: Progress) -> Pool:
    """Draw vectors [N, dim]; the fine label of an item is its mode, 0 to classes * modes - 1.

    Overlapping items and outliers are drawn without a common item; where there are too few items
    for both, there are fewer overlapping ones.
    """
    rng = np.random.default_rng([spec.seed, 0])
    total = spec.classes * spec.per_class
    labels = np.repeat(np.arange(spec.classes), spec.per_class)
    modes = np.tile(np.arange(spec.per_class) % spec.modes, spec.classes)

    class_centres = rng.standard_normal((spec.classes, 1, spec.dim))
    offsets = rng.standard_normal((spec.classes, spec.modes, spec.dim)) * spec.mode_spread
    centres = class_centres + offsets
    scatter = rng.standard_normal((total, spec.dim)) * spec.within_sd

    drawn = rng.permutation(total)
    outliers = drawn[: round(spec.outliers * total)]
    overlapping = drawn[len(outliers) : len(outliers) + round(spec.overlap * total)]
    scatter[outliers] *= spec.outlier_scale
    items = centres[labels, modes] + scatter
    others = _draw_others(spec, centres, labels[overlapping], rng)
    items[overlapping] = (1 - BLEND) * items[overlapping] + BLEND * others

    return Pool(
        torch.from_numpy(items).to(torch.float32),
        torch.from_numpy(labels).to(torch.int64),
        split_by_item(labels, seed=spec.seed),
        fine=torch.from_numpy(labels * spec.modes + modes).to(torch.int64),
    )


def _draw_others(
    spec: SyntheticData, centres: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw for each label a new item of a random mode of a random other class."""
    count = len(labels)
    classes = (labels + rng.integers(1, spec.classes, count)) % spec.classes
    modes = rng.integers(spec.modes, size=count)
    scatter = rng.standard_normal((count, spec.dim)) * spec.within_sd
    return np.asarray(centres[classes, modes] + scatter)
