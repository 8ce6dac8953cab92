"""What the labels of many batches decide, found for all of them at once."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Kin:
    """Who is of whose class, in batches of B items of K seeds. `of` makes that of S steps, with
    one more dimension in front; `at` gives one step's."""

    classes: Tensor
    """[K, B] float32: equal for items of one class."""
    columns: Tensor
    """[K, B, P] the members of each item's class in its batch, filled up to the largest class."""
    exists: Tensor
    """[K, B, P] float32: 1 for the item's positives, 0 for itself and what fills up."""
    positives: Tensor
    """[K, B, 1] float32: how many positives an item has."""
    negatives: Tensor
    """[K, B, 1] float32: how many negatives."""

    @classmethod
    def of(cls, labels: Tensor) -> Self:
        """Of labels [S, K, B]. Waits for a GPU once, to learn the size of the largest class."""
        known, order = labels.sort(dim=-1, stable=True)
        first = torch.searchsorted(known, labels)
        sizes = torch.searchsorted(known, labels, right=True) - first
        slots = torch.arange(int(sizes.max()), device=labels.device)
        places = (first[..., None] + slots).clamp_(max=labels.shape[-1] - 1)
        columns = order.gather(-1, places.flatten(-2)).view(places.shape)
        items = torch.arange(labels.shape[-1], device=labels.device)[:, None]
        exists = (slots < sizes[..., None]) & (columns != items)
        return cls(
            first.to(torch.float32),  # where the class begins in the sorted batch names it
            columns,
            exists.to(torch.float32),
            (sizes[..., None] - 1).to(torch.float32),
            (labels.shape[-1] - sizes[..., None]).to(torch.float32),
        )

    def at(self, step: int) -> "Kin":
        """Of one of the steps."""
        return Kin(
            self.classes[step],
            self.columns[step],
            self.exists[step],
            self.positives[step],
            self.negatives[step],
        )

    def same(self) -> Tensor:
        """[K, B, B] 1. for two of one class, an item and itself included, and 0."""
        shape = (*self.classes.shape, self.classes.shape[-1])
        mask = torch.empty(shape, dtype=torch.float32, device=self.classes.device)
        return torch.eq(self.classes[..., :, None], self.classes[..., None, :], out=mask)
