"""What a loss is given and what it returns."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from contract.comparison.loss import Reduction
from worker.losses.batch import Batch, check_batch

State = Literal["active", "nothing active", "no valid tuple"]


@dataclass(frozen=True)
class Part:
    """The tuples of one kind, e.g. the negative pairs. All fields are 0-d tensors, so that reading
    them is the only thing that waits for the device."""

    total: Tensor
    """Sum of the loss values; for reading: gradients flow through `LossOutput.value` alone."""
    active: Tensor
    """Number of tuples with a loss above 0, a softmax's above ACTIVE_EPS (int64)."""
    valid: Tensor
    """Number of all tuples (int64)."""

    @property
    def active_ratio(self) -> Tensor:
        """active / valid; NaN where there is no tuple of this kind."""
        return self.active / self.valid


@dataclass(frozen=True)
class Tuples:
    """What a loss finds in a batch, before the reduction."""

    total: Tensor
    """Sum of the losses of the tuples trained on; differentiable."""
    parts: dict[str, Part]
    """All valid tuples of the batch, by kind."""
    active_anchors: Tensor
    """Share of the anchors in at least one valid tuple that are in an active one; NaN where no
    tuple is valid."""
    selected: dict[str, Part] | None = None
    """The tuples trained on; None where these are all."""


@dataclass(frozen=True)
class LossOutput:
    """A batch's loss."""

    value: Tensor
    """What is backpropagated, in the reduction that is trained; a differentiable 0 where no
    tuple contributes (see `state`)."""
    parts: dict[str, Part]
    """All valid tuples of the batch, by kind, whatever is trained on."""
    selected: dict[str, Part] | None
    """The tuples trained on; None where these are all valid ones."""
    active_anchors: Tensor
    """Share of the anchors in at least one valid tuple that are in an active one; NaN where no
    tuple is valid."""
    divisor: Tensor
    """What the sum over the tuples trained on was divided by to give `value`."""

    @property
    def active(self) -> Tensor:
        """Number of active tuples of all parts (int64)."""
        return _sum([part.active for part in self.parts.values()])

    @property
    def valid(self) -> Tensor:
        """Number of valid tuples of all parts (int64)."""
        return _sum([part.valid for part in self.parts.values()])

    @property
    def active_ratio(self) -> Tensor:
        """active / valid over all parts; NaN where no tuple is valid."""
        return self.active / self.valid

    @property
    def mean_over_valid(self) -> Tensor:
        """Mean over all valid tuples of all parts, whatever is trained; NaN where there is none."""
        return _sum([part.total for part in self.parts.values()]) / self.valid

    @property
    def state(self) -> State:
        """What the batch had to teach, in words."""
        if not self.valid:
            return "no valid tuple"
        return "active" if self.active else "nothing active"


class Loss(nn.Module):
    """A loss with its settings."""

    def __init__(self, reduction: Reduction) -> None:
        super().__init__()
        self.reduction = reduction

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        *,
        others: Tensor | None = None,
        other_labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        check_values: bool = True,
    ) -> LossOutput:
        """The loss of a batch.

        Args:
            embeddings: [B, D] float32 or float64, taken as they are.
            labels: [B] integers.
            others: [M, D], with `other_labels` [M]: another modality in the same space. Anchors
                are then the embeddings, positives and negatives the others; sum the losses of both
                directions for both. Without it a batch is compared with itself.
            other_labels: [M] integers, with `others`.
            generator: decides which tuples are drawn, for losses that draw; torch's global one
                unless given.
            check_values: whether to refuse embeddings that are not finite, for which a GPU must be
                waited for. Without it they give a value that is not finite.

        Raises:
            InputError: names the argument and what was seen.
        """
        check_batch(embeddings, labels, others, other_labels, values=check_values)
        if others is None or other_labels is None:
            batch = Batch(embeddings, labels, embeddings, labels, own=True)
        else:
            batch = Batch(embeddings, labels, others, other_labels, own=False)
        found = self.tuples(batch, generator)
        divisor = self._divisor(found.parts if found.selected is None else found.selected)
        return LossOutput(
            found.total / divisor, found.parts, found.selected, found.active_anchors, divisor
        )

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """The loss before its reduction: what a loss is made of."""
        raise NotImplementedError

    def _divisor(self, parts: dict[str, Part]) -> Tensor:
        """At least 1: without tuples the sum is a differentiable 0, and so is the value."""
        active = self.reduction == "mean_active"
        counts = [part.active if active else part.valid for part in parts.values()]
        divisor = _sum(counts).clamp(min=1)
        return torch.ones_like(divisor) if self.reduction == "sum" else divisor


def _sum(scalars: list[Tensor]) -> Tensor:
    return torch.stack(scalars).sum()
