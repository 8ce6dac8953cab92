"""A batch as a loss sees it: anchors, those they are compared with, and who is of whose class."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from worker.errors import InputError


@dataclass(frozen=True)
class Batch:
    """Anchors [B, D] and others [M, D] with their labels."""

    anchors: Tensor
    labels: Tensor
    others: Tensor
    other_labels: Tensor
    own: bool
    """Whether the others are the anchors themselves, so that none is its own positive."""

    @cached_property
    def same(self) -> Tensor:
        """[B, M] bool: of one class, an item and itself included."""
        return self.labels[:, None] == self.other_labels[None, :]

    @cached_property
    def positive(self) -> Tensor:
        """[B, M] bool: of one class and not the same item."""
        return self.same.clone().fill_diagonal_(False) if self.own else self.same

    @cached_property
    def negative(self) -> Tensor:
        """[B, M] bool: of different classes."""
        return ~self.same

    @property
    def items(self) -> tuple[Tensor, Tensor]:
        """All points and labels, of both modalities where there are two."""
        if self.own:
            return self.anchors, self.labels
        return torch.cat((self.anchors, self.others)), torch.cat((self.labels, self.other_labels))


def check_batch(
    embeddings: Tensor,
    labels: Tensor,
    others: Tensor | None,
    other_labels: Tensor | None,
    *,
    values: bool,
) -> None:
    """Check shapes and types, and, where `values` is set, that all embeddings are finite.

    Raises:
        InputError: names the argument and what was seen.
    """
    _check(embeddings, labels, "embeddings", "labels", values=values)
    if (others is None) != (other_labels is None):
        lacking = "others" if others is None else "other_labels"
        raise InputError(f"{lacking}: others and other_labels are given together, got None")
    if others is None or other_labels is None:
        return
    _check(others, other_labels, "others", "other_labels", values=values)
    if others.shape[1] != embeddings.shape[1] or others.dtype != embeddings.dtype:
        raise InputError(
            f"others: expected [M, {embeddings.shape[1]}] of {embeddings.dtype} as the embeddings, "
            f"got {list(others.shape)} of {others.dtype}"
        )


def _check(points: Tensor, labels: Tensor, name: str, label_name: str, *, values: bool) -> None:
    if points.ndim != 2 or not len(points):
        raise InputError(f"{name}: expected shape [B, D] with B >= 1, got {list(points.shape)}")
    if points.dtype not in {torch.float32, torch.float64}:
        raise InputError(f"{name}: expected float32 or float64, got {points.dtype}")
    if labels.shape != points.shape[:1]:
        raise InputError(
            f"{label_name}: expected shape [{len(points)}], one for each embedding, "
            f"got {list(labels.shape)}"
        )
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputError(f"{label_name}: expected integers, got {labels.dtype}")
    # The sum first: one pass, and finite only if all are, although it may overflow.
    if values and not points.detach().sum().isfinite() and not points.isfinite().all():
        broken = int((~points.isfinite().all(dim=1)).sum())
        raise InputError(f"{name}: {broken} of {len(points)} rows are not finite")
