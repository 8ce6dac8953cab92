"""What a checked data set is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from contract.dataset_files.problems import RowProblem

Told: TypeAlias = Callable[[int, int], None]
"""Called with how many items are checked, and of how many; what it raises ends the check."""


def nobody(done: int, total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class ImageSet:
    """Images in class folders, each of which could be decoded."""

    root: Path
    files: tuple[str, ...]
    """Paths below `root` with `/`, sorted; of identical images only the first."""
    labels: np.ndarray
    """[N] int64 places in `class_names`."""
    class_names: tuple[str, ...]
    """Names of the class folders, sorted."""
    warnings: tuple[RowProblem, ...] = ()


@dataclass(frozen=True)
class FeatureTable:
    """Rows of finite features with labels."""

    features: np.ndarray
    """[N, D] float32; the audio modality of a paired table."""
    labels: np.ndarray
    """[N] int64 places in `class_names`."""
    class_names: tuple[str, ...]
    """Sorted: numbers by value, words by letter."""
    fine: np.ndarray | None = None
    """[N] int64 from 0 up: labels within the classes."""
    ids: tuple[str, ...] | None = None
    """A name for each row, no two alike."""
    visual: np.ndarray | None = None
    """[N, E] float32: the second modality of a paired table."""
    warnings: tuple[RowProblem, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)
