"""Tuples of items: pairs, triplets, and pairs with a label or a score."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import TupleShape


@dataclass(frozen=True)
class TupleRows:
    """Rows of a table, each of which names two or three items."""

    shape: TupleShape
    places: Tensor
    """[R, 2 or 3] int64 places of the items: anchor, positive and negative; or first and second."""
    same: Tensor | None = None
    """[R] bool, whether the two of a labelled pair belong together."""
    scores: Tensor | None = None
    """[R] float64 scores of pairs."""

    def __len__(self) -> int:
        return len(self.places)

    def take(self, index: Tensor) -> "TupleRows":
        """Return the rows at these indices."""
        index = index.to(self.places.device)
        return replace(
            self,
            places=self.places[index],
            same=None if self.same is None else self.same[index],
            scores=None if self.scores is None else self.scores[index],
        )

    def to(self, device: torch.device) -> "TupleRows":
        """Return the same rows on a device."""
        return replace(
            self,
            places=self.places.to(device),
            same=None if self.same is None else self.same.to(device),
            scores=None if self.scores is None else self.scores.to(device),
        )

    def compact(self) -> tuple[Tensor, "TupleRows"]:
        """Return the different items [N] of these rows, rising, and the rows with places among
        them."""
        items, places = self.places.unique(return_inverse=True)
        return items, replace(self, places=places)

    @property
    def positives(self) -> Tensor:
        """[P, 2] places of the pairs that belong together; none of scored pairs."""
        if self.shape == "scored_pairs":
            return self.places[:0]
        pairs = self.places[:, :2]
        return pairs if self.same is None else pairs[self.same]


@dataclass(frozen=True)
class TupleTable:
    """All tuples of a data set, and the split of each."""

    rows: TupleRows
    components: np.ndarray
    """[R] int64 number of the connected component of each row: rows that share items, in whatever
    role, are of one."""
    parts: np.ndarray
    """[R] of each row: `train`, `validation` or `test`."""

    def part(self, name: str) -> TupleRows:
        """Return the rows of a split."""
        return self.rows.take(torch.from_numpy(np.flatnonzero(self.parts == name)))
