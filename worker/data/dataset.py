"""A data set: as its loader finds it, and as tensors in three splits.

Images that lie in files and are decoded when somebody knows at which size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from worker.data.splits import Indices


@dataclass(frozen=True)
class ImageFiles:
    """One file an item."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, index: "np.ndarray | Sequence[int]") -> "ImageFiles":
        """The files at these places."""
        return ImageFiles(tuple(self.paths[i] for i in index))


Items: TypeAlias = Tensor | ImageFiles
"""Images [N, C, H, W] uint8, which encoders scale to 0 to 1; other items [N, ...] float32; or files
of images, which are decoded at the size that an encoder asks for."""


@dataclass(frozen=True)
class Split:
    """Items of one split."""

    items: Tensor
    """[N, ...] uint8 images or float32; the audio modality of paired data."""
    labels: Tensor
    """[N] int64, 0 to classes - 1."""
    fine: Tensor | None = None
    """[N] int64 labels within the classes, which no loss sees; None where there are none. Of paired
    data they are the audio items'."""
    visual: Tensor | None = None
    """[N, ...]: the second modality of paired data, row by row."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: Tensor) -> "Split":
        """The items at these places, on their device."""
        index = index.to(self.labels.device)
        return self._each(lambda tensor: tensor[index])

    def to(self, device: torch.device) -> "Split":
        """The same items on a device."""
        return self._each(lambda tensor: tensor.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Split":
        return Split(
            change(self.items),
            change(self.labels),
            None if self.fine is None else change(self.fine),
            None if self.visual is None else change(self.visual),
        )


@dataclass(frozen=True)
class Dataset:
    """Three splits that share no item: train learns, validation picks, test is read once."""

    train: Split
    validation: Split
    test: Split
    classes: int
    """One more than the largest label."""
    class_disjoint: bool = False
    """Whether no class of the test split is in train."""

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return tuple(self.train.items.shape[1:])

    @property
    def visual_shape(self) -> tuple[int, ...] | None:
        """Shape of one visual item of paired data."""
        return None if self.train.visual is None else tuple(self.train.visual.shape[1:])

    def to(self, device: torch.device) -> "Dataset":
        """The same splits on a device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
        )


@dataclass(frozen=True)
class Pool:
    """All items of a data set, and which of them are in which split."""

    items: Items
    labels: Tensor
    """[N] int64, 0 to classes - 1."""
    indices: Indices
    fine: Tensor | None = None
    """[N] int64 labels within the classes."""
    visual: Items | None = None
    """The second modality of paired data, row by row."""
    class_disjoint: bool = False
    """Whether no class of the test split is in train."""
    class_names: tuple[str, ...] | None = None
    """Of the labels 0, 1, 2, ...; None where the labels are all that is known."""
    recordings: tuple[Path, ...] | None = None
    """Wav files of the items, which can be listened to."""

    def dataset(self, items: Tensor | None = None, visual: Tensor | None = None) -> Dataset:
        """The splits, of tensors that stand for this pool's items.

        Args:
            items: [N, ...]: decoded items, or features of them; by default the pool's own.
            visual: [N, ...], the same of the second modality.

        Raises:
            TypeError: the pool's own are files, and nothing stands for them.
        """
        first = self.items if items is None else items
        second = self.visual if visual is None else visual
        if isinstance(first, ImageFiles) or isinstance(second, ImageFiles):
            raise TypeError("files have to be decoded first")
        whole = Split(first, self.labels, self.fine, second)
        train, validation, test = (
            whole.take(torch.from_numpy(np.ascontiguousarray(index)))
            for index in (self.indices.train, self.indices.validation, self.indices.test)
        )
        return Dataset(train, validation, test, int(self.labels.max()) + 1, self.class_disjoint)
