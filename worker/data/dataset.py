"""A data set as tensors in three splits."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from contract.data import TRAIN_SHARE


@dataclass(frozen=True)
class Split:
    """Items of one split."""

    items: Tensor
    """[N, ...] float32."""
    labels: Tensor
    """[N] int64, 0 to classes - 1."""
    fine: Tensor | None = None
    """[N] int64 labels within the classes, which no loss sees; None where there are none."""

    def to(self, device: torch.device) -> "Split":
        """The same items on a device."""
        fine = None if self.fine is None else self.fine.to(device)
        return Split(self.items.to(device), self.labels.to(device), fine)


@dataclass(frozen=True)
class Dataset:
    """Three splits that share no item: train learns, validation picks, test is read once."""

    train: Split
    validation: Split
    test: Split
    classes: int
    """Number of classes in train."""

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return tuple(self.train.items.shape[1:])

    def to(self, device: torch.device) -> "Dataset":
        """The same splits on a device."""
        return Dataset(
            self.train.to(device), self.validation.to(device), self.test.to(device), self.classes
        )


def split_by_item(items: Tensor, labels: Tensor, fine: Tensor | None, *, seed: int) -> Dataset:
    """Split each class 60 : 20 : 20 at random, so that every class is in every split.

    Args:
        items: [N, ...].
        labels: [N] int64, 0 to C - 1, each class with at least 5 members.
        fine: [N] int64 or None.
        seed: decides the split, and nothing else does.
    """
    rng = np.random.default_rng([seed, 1])
    chosen: tuple[list[np.ndarray], ...] = ([], [], [])
    classes = int(labels.max()) + 1
    for label in range(classes):
        members = rng.permutation(np.flatnonzero(labels.numpy() == label))
        train = int(len(members) * TRAIN_SHARE)
        validation = (len(members) - train) // 2
        parts = np.split(members, [train, train + validation])
        for split, part in zip(chosen, parts, strict=True):
            split.append(part)

    def take(parts: list[np.ndarray]) -> Split:
        index = torch.from_numpy(np.sort(np.concatenate(parts)))
        return Split(items[index], labels[index], None if fine is None else fine[index])

    return Dataset(take(chosen[0]), take(chosen[1]), take(chosen[2]), classes)
