"""A batch of tuples that the data give, and the items that its anchors can be compared with."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import torch
from torch import Tensor

from contract.comparison.data import TupleShape
from contract.comparison.loss import Distance
from worker.errors import InputError
from worker.losses.batch import check_batch
from worker.losses.distances import unit_vectors

WIDTHS: Final[dict[TupleShape, int]] = {
    "pairs": 2,
    "triplets": 3,
    "labelled_pairs": 2,
    "scored_pairs": 2,
}
"""Items of a tuple."""


@dataclass(frozen=True)
class TupleBatch:
    """Embeddings of the items of a batch, and its tuples."""

    shape: TupleShape
    points: Tensor
    """[N, D] differentiable."""
    groups: Tensor
    """[N] int64 group of each item; items of one group belong together."""
    places: Tensor
    """[R, 2 or 3] int64 places of the items of each tuple."""
    same: Tensor | None = None
    """[R] bool of labelled pairs."""
    scores: Tensor | None = None
    """[R] floats of scored pairs."""

    @property
    def anchors(self) -> Tensor:
        """[R] places of the first items."""
        return self.places[:, 0]

    @property
    def positives(self) -> Tensor:
        """[R] places of the second items."""
        return self.places[:, 1]

    @cached_property
    def candidates(self) -> Tensor:
        """[C] places of the different items in second or third place."""
        found: Tensor = self.places[:, 1:].unique()
        return found

    @cached_property
    def negatives(self) -> Tensor:
        """[R, C] bool mask of the candidates that are of another group than the anchor."""
        return self.groups[self.anchors][:, None] != self.groups[self.candidates]

    @cached_property
    def false_negatives(self) -> Tensor:
        """0-d share of the candidates besides the own positive that are of the anchor's group and
        so no negatives; the anchor itself counts neither way. NaN without such a candidate."""
        others = (self.candidates != self.positives[:, None]) & (
            self.candidates != self.anchors[:, None]
        )
        return (others & ~self.negatives).sum() / others.sum()

    def check(self, *, values: bool) -> None:
        """Check shapes and types, and that all embeddings are finite if `values` is set.

        Raises:
            InputError: names the argument and says what was given.
        """
        check_batch(self.points, self.groups, None, None, values=values)
        width = WIDTHS[self.shape]
        if self.places.ndim != 2 or self.places.shape[1] != width or not len(self.places):
            raise InputError(
                f"places: expected [R, {width}] with R >= 1 for {self.shape!r}, "
                f"got {list(self.places.shape)}"
            )
        for name, shape, given in (
            ("same", "labelled_pairs", self.same),
            ("scores", "scored_pairs", self.scores),
        ):
            if (given is None) == (self.shape == shape):
                raise InputError(f"{name}: is given with {shape!r} and with nothing else")
            if given is not None and given.shape != self.places.shape[:1]:
                raise InputError(
                    f"{name}: expected [{len(self.places)}], one for each tuple, "
                    f"got {list(given.shape)}"
                )
        if values and not bool(((self.places >= 0) & (self.places < len(self.points))).all()):
            raise InputError(f"places: expected 0 to {len(self.points) - 1}")


def row_distances(points: Tensor, ones: Tensor, others: Tensor, distance: Distance) -> Tensor:
    """Return the distances [R] of pairs of items: squared Euclidean ones, or 1 - cos.

    Args:
        points: [N, D].
        ones: [R] places.
        others: [R] places.
        distance: which.
    """
    if distance == "cosine":
        points = unit_vectors(points)
    squared = (points[ones] - points[others]).square().sum(dim=1)
    return squared / 2 if distance == "cosine" else squared


def all_distances(points: Tensor, ones: Tensor, others: Tensor, distance: Distance) -> Tensor:
    """Return the same distances [R, C] of each of `ones` [R] to each of `others` [C]."""
    if distance == "cosine":
        points = unit_vectors(points)
    # Less the mean: ||a||^2 + ||b||^2 - 2ab cancels badly far from the origin.
    centred = points - points.detach().mean(dim=0)
    here, there = centred[ones], centred[others]
    squared = here.square().sum(dim=1)[:, None] + there.square().sum(dim=1) - 2 * here @ there.T
    squared = squared.clamp(min=0)
    return squared / 2 if distance == "cosine" else squared


def root(squared: Tensor) -> Tensor:
    """Return the square root; 0, without gradient, where it has none."""
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1).sqrt(), 0)
