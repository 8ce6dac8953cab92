"""What a loss of K batches gives, and the base class of the losses of bundles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from contract.comparison.loss import Loss
from worker.together.labels import LabelRelations

SpecT = TypeVar("SpecT", bound=Loss)


class LossInputs(NamedTuple):
    """What a loss of K batches is computed from."""

    points: Tensor
    """[K, B, D] embeddings."""
    relations: LabelRelations
    """Of the labels of the batches."""
    own: Tensor | None
    """[K, C, D] the loss's own parameters, if it has some."""
    generators: Sequence[torch.Generator]
    """Of each member, for losses that draw tuples."""


@dataclass(frozen=True)
class LossTerms:
    """The sums, counts and derivatives of a loss over each of K batches, before the reduction."""

    totals: Tensor
    """[K] sums of the losses of all valid tuples, or under the reduction "balanced" the values."""
    slopes: Tensor
    """[K, B, D] derivatives of the totals by the embeddings."""
    parts: dict[str, tuple[Tensor, Tensor, Tensor]]
    """For each part its total and the numbers of its active and its valid tuples, [K] each."""
    active_anchors: Tensor
    """[K] of the anchors in at least one valid tuple, the share in at least one active tuple."""
    pushing_anchors: Tensor
    """[K] the same, of the tuples that push classes apart."""
    trivial: Tensor | None = None
    """[K] sum of the losses if all embeddings of a batch coincided; None for losses with
    parameters of their own."""
    pull_weight: Tensor | None = None
    """[K] weight of the positive pairs where the reduction gives them one."""
    own_slopes: Tensor | None = None
    """[K, C, D] derivatives of the totals by the loss's own parameters, if it has some."""


class StackedLoss(Generic[SpecT]):
    """A loss of K members, which differ in numbers only; a subclass implements `terms`.

    Nothing that it computes for one member depends on another, or on how many there are.
    """

    def __init__(self, specs: Sequence[SpecT], device: torch.device) -> None:
        """Args:
        specs: of each member, of one kind; what is no number is the same in all.
        device: of the embeddings.
        """
        self.specs = list(specs)
        self.device = device

    def terms(self, batches: LossInputs) -> LossTerms:
        """Return the terms of batches."""
        raise NotImplementedError

    def number(self, name: str) -> Tensor:
        """Return a setting of each member, [K, 1, 1] float32."""
        values = [getattr(spec, name) for spec in self.specs]
        return self.numbers(values)

    def numbers(self, values: Sequence[float]) -> Tensor:
        """Return a number for each member, [K, 1, 1] float32."""
        return torch.tensor(values, dtype=torch.float32, device=self.device).view(-1, 1, 1)
