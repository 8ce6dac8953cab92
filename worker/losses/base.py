"""What a loss is given and what it returns."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from contract.loss import Reduction
from worker.errors import InputError


@dataclass(frozen=True)
class Part:
    """The tuples of one kind, e.g. the negative pairs. All fields are 0-d tensors, so that reading
    them is the only thing that waits for the device."""

    total: Tensor
    """Sum of the loss values; differentiable."""
    active: Tensor
    """Number of tuples with a loss above 0 (int64)."""
    valid: Tensor
    """Number of all tuples (int64)."""

    @property
    def active_ratio(self) -> Tensor:
        """active / valid; NaN where there is no tuple of this kind."""
        return self.active / self.valid


@dataclass(frozen=True)
class LossOutput:
    """A batch's loss."""

    value: Tensor
    """What is backpropagated, in the reduction that is trained; a differentiable 0 where no
    tuple contributes."""
    parts: dict[str, Part]
    active_anchors: Tensor
    """Share of the anchors in at least one valid tuple that are in an active one; NaN where no
    tuple is valid."""
    divisor: Tensor
    """What the sum over all tuples was divided by to give `value`."""

    @property
    def active(self) -> Tensor:
        """Number of active tuples of all parts (int64)."""
        return torch.stack([part.active for part in self.parts.values()]).sum()

    @property
    def valid(self) -> Tensor:
        """Number of valid tuples of all parts (int64)."""
        return torch.stack([part.valid for part in self.parts.values()]).sum()

    @property
    def active_ratio(self) -> Tensor:
        """active / valid over all parts; NaN where no tuple is valid."""
        return self.active / self.valid

    @property
    def mean_over_valid(self) -> Tensor:
        """Mean over all valid tuples of all parts, whatever is trained; 0 where there is none."""
        return _sum(self.parts) / self.valid.clamp(min=1)


class Loss(nn.Module):
    """A loss with its settings."""

    def __init__(self, reduction: Reduction) -> None:
        super().__init__()
        self.reduction = reduction

    def forward(
        self, embeddings: Tensor, labels: Tensor, *, generator: torch.Generator | None = None
    ) -> LossOutput:
        """The loss of a batch.

        Args:
            embeddings: [B, D] float32 or float64, taken as they are.
            labels: [B] integers.
            generator: decides which tuples are drawn, for losses that draw.

        Raises:
            InputError: names the argument and what was seen.
        """
        check_batch(embeddings, labels)
        parts, active_anchors = self.tuples(embeddings, labels, generator)
        divisor = self._divisor(parts)
        return LossOutput(_sum(parts) / divisor, parts, active_anchors, divisor)

    def tuples(
        self, embeddings: Tensor, labels: Tensor, generator: torch.Generator | None
    ) -> tuple[dict[str, Part], Tensor]:
        """The named parts, and the share of active anchors; what a loss is made of."""
        raise NotImplementedError

    def _divisor(self, parts: dict[str, Part]) -> Tensor:
        """At least 1: without tuples the sum is a differentiable 0, and so is the value."""
        counts = [
            part.active if self.reduction == "mean_active" else part.valid
            for part in parts.values()
        ]
        divisor = torch.stack(counts).sum().clamp(min=1)
        return torch.ones_like(divisor) if self.reduction == "sum" else divisor


def check_batch(embeddings: Tensor, labels: Tensor) -> None:
    """Check shapes and types; not the values, which would make every step wait for the device.

    Raises:
        InputError: names the argument and what was seen.
    """
    if embeddings.ndim != 2 or not len(embeddings):
        raise InputError(
            f"embeddings: expected shape [B, D] with B >= 1, got {list(embeddings.shape)}"
        )
    if embeddings.dtype not in {torch.float32, torch.float64}:
        raise InputError(f"embeddings: expected float32 or float64, got {embeddings.dtype}")
    if labels.shape != embeddings.shape[:1]:
        raise InputError(
            f"labels: expected shape [{len(embeddings)}], one for each embedding, "
            f"got {list(labels.shape)}"
        )
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputError(f"labels: expected integers, got {labels.dtype}")


def _sum(parts: dict[str, Part]) -> Tensor:
    return torch.stack([part.total for part in parts.values()]).sum()
