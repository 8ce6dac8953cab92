"""Which items of a batch share a class, for the batches of K members and of many steps at once."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class LabelRelations:
    """Class relations in batches of B items of K members.

    `from_labels` makes those of S steps, with one more dimension in front; `at` gives one step's.
    """

    labels: Tensor
    """[K, B] int64."""
    classes: Tensor
    """[K, B] float32 numbers, equal for items of one class."""
    columns: Tensor
    """[K, B, P] members of each item's class in its batch, filled up to P, the largest class."""
    exists: Tensor
    """[K, B, P] float32: 1 for positives of the item, 0 for the item itself and the filling."""
    positives: Tensor
    """[K, B, 1] float32 number of positives of each item."""
    negatives: Tensor
    """[K, B, 1] float32 number of negatives of each item."""

    @classmethod
    def from_labels(cls, labels: Tensor) -> Self:
        """Build from labels [S, K, B]. Waits for a GPU once, for the size of the largest class."""
        known, order = labels.sort(dim=-1, stable=True)
        first = torch.searchsorted(known, labels)
        sizes = torch.searchsorted(known, labels, right=True) - first
        slots = torch.arange(int(sizes.max()), device=labels.device)
        places = (first[..., None] + slots).clamp_(max=labels.shape[-1] - 1)
        columns = order.gather(-1, places.flatten(-2)).view(places.shape)
        items = torch.arange(labels.shape[-1], device=labels.device)[:, None]
        exists = (slots < sizes[..., None]) & (columns != items)
        return cls(
            labels,
            first.to(torch.float32),  # a class is named by where it begins in the sorted batch
            columns,
            exists.to(torch.float32),
            (sizes[..., None] - 1).to(torch.float32),
            (labels.shape[-1] - sizes[..., None]).to(torch.float32),
        )

    def at(self, step: int) -> "LabelRelations":
        """Return the relations of one of the steps."""
        return LabelRelations(
            self.labels[step],
            self.classes[step],
            self.columns[step],
            self.exists[step],
            self.positives[step],
            self.negatives[step],
        )

    def same_class_mask(self) -> Tensor:
        """Return a mask [K, B, B] of pairs of one class, with itself included, as 1. and 0."""
        shape = (*self.classes.shape, self.classes.shape[-1])
        mask = torch.empty(shape, dtype=torch.float32, device=self.classes.device)
        return torch.eq(self.classes[..., :, None], self.classes[..., None, :], out=mask)
