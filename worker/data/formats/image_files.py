"""Images that lie in files and are decoded when somebody knows at which size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class ImageFiles:
    """One file an item."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, index: "np.ndarray | Sequence[int]") -> "ImageFiles":
        """The files at these places."""
        return ImageFiles(tuple(self.paths[i] for i in index))
