"""The input of a loss: anchors, the items they are compared with, and which share a class.

`check_batch` refuses wrong shapes and types. `Batch` gives class relations as [B, M] masks,
`ClassMembers` as counts and as lists of each anchor's positives, without any mask.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from worker.errors import InputError


@dataclass(frozen=True)
class Batch:
    """Anchors [B, D] and the others [M, D] that they are compared with, with the labels of both."""

    anchors: Tensor
    labels: Tensor
    others: Tensor
    other_labels: Tensor
    against_itself: bool
    """Whether the others are the anchors themselves; an item is then not its own positive."""

    @cached_property
    def same_class(self) -> Tensor:
        """[B, M] bool mask of pairs of one class, an item with itself included."""
        return self.labels[:, None] == self.other_labels[None, :]

    @cached_property
    def positive(self) -> Tensor:
        """[B, M] bool mask of positives: of the anchor's class, and not the anchor itself."""
        return (
            self.same_class.clone().fill_diagonal_(False)
            if self.against_itself
            else self.same_class
        )

    @cached_property
    def negative(self) -> Tensor:
        """[B, M] bool mask of negatives: of another class than the anchor."""
        return ~self.same_class

    @property
    def items(self) -> tuple[Tensor, Tensor]:
        """All points and all labels, of both modalities where there are two."""
        if self.against_itself:
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
    """Check the shapes and types of a batch, and that all embeddings are finite if `values` is set.

    Raises:
        InputError: an argument is wrong; names it and says what was given.
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
    # The sum first: it takes one pass, and if it is finite all values are. It may overflow though
    # all values are finite, so a sum that is not finite is followed by the full check.
    if values and not math.isfinite(points.detach().sum()) and not points.isfinite().all():
        broken = int((~points.isfinite().all(dim=1)).sum())
        raise InputError(f"{name}: {broken} of {len(points)} rows are not finite")


@dataclass(frozen=True)
class ClassMembers:
    """The classes of a batch as numbers and sizes; `from_labels` and `from_batch` make one."""

    classes: Tensor
    """[B] class of each anchor, an index into `sizes`; -1 if none of the others has it."""
    other_classes: Tensor
    """[M] class of each other item."""
    sizes: Tensor
    """[M] number of others in each class; 0 beyond the last class."""
    by_class: Tensor
    """[M] the others sorted by class, and within a class ascending."""
    against_itself: bool
    """Whether the others are the anchors themselves."""

    @classmethod
    def from_labels(cls, labels: Tensor, other_labels: Tensor | None = None) -> Self:
        """Build from labels [B] and other labels [M]; without the latter the batch is compared with
        itself."""
        if labels.device.type == "cpu":
            return cls._from_arrays(labels, other_labels)
        # The result of `unique`, but in tensors of a known size, so that a GPU is not waited for.
        known, order = (labels if other_labels is None else other_labels).sort(stable=True)
        begins = torch.ones_like(order)
        begins[1:] = known[1:] != known[:-1]
        ranks = begins.cumsum(0) - 1
        classes = torch.empty_like(ranks).scatter_(0, order, ranks)
        sizes = torch.zeros_like(ranks).scatter_add_(0, ranks, torch.ones_like(ranks))
        if other_labels is None:
            return cls(classes, classes, sizes, order, against_itself=True)
        nearest = torch.searchsorted(known, labels).clamp_(max=len(known) - 1)
        found = ranks[nearest].masked_fill_(known[nearest] != labels, -1)
        return cls(found, classes, sizes, order, against_itself=False)

    @classmethod
    def _from_arrays(cls, labels: Tensor, other_labels: Tensor | None) -> Self:
        """Do the same with NumPy, which takes half of torch's time on a CPU."""
        known = (labels if other_labels is None else other_labels).numpy()
        order = known.argsort(kind="stable")
        known = known[order]
        ranks = np.zeros_like(order)
        np.cumsum(known[1:] != known[:-1], out=ranks[1:])
        classes = np.empty_like(ranks)
        classes[order] = ranks
        sizes = np.bincount(ranks, minlength=len(ranks))
        others, in_order = torch.from_numpy(classes), torch.from_numpy(order)
        if other_labels is None:
            return cls(others, others, torch.from_numpy(sizes), in_order, against_itself=True)
        nearest = np.minimum(known.searchsorted(labels.numpy()), len(known) - 1)
        found = np.where(known[nearest] == labels.numpy(), ranks[nearest], -1)
        return cls(
            torch.from_numpy(found), others, torch.from_numpy(sizes), in_order, against_itself=False
        )

    @classmethod
    def from_batch(cls, batch: Batch) -> Self:
        """Build from a batch."""
        return cls.from_labels(batch.labels, None if batch.against_itself else batch.other_labels)

    @cached_property
    def class_counts(self) -> Tensor:
        """[B] number of others in the anchor's class, the anchor itself included."""
        counts = self.sizes[self.classes]
        return counts if self.against_itself else counts.masked_fill_(self.classes < 0, 0)

    @cached_property
    def positive_counts(self) -> Tensor:
        """[B] number of positives of each anchor."""
        return self.class_counts - 1 if self.against_itself else self.class_counts

    @cached_property
    def negative_counts(self) -> Tensor:
        """[B] number of negatives of each anchor."""
        return len(self.other_classes) - self.class_counts

    @cached_property
    def pair_counts(self) -> tuple[Tensor, Tensor]:
        """Numbers of positive and of negative pairs (int64): of unordered pairs of two items where
        the batch is compared with itself, else of an anchor and an other."""
        anchors, others = len(self.classes), len(self.other_classes)
        same = self.class_counts.sum()
        if self.against_itself:
            return (same - anchors) // 2, (anchors * others - same) // 2
        return same, anchors * others - same

    def same_class_mask(self, dtype: torch.dtype, anchors: slice = slice(None)) -> Tensor:
        """Return a [B, M] mask of pairs of one class, an item with itself included, as 1. and 0.

        `anchors` takes some of the B anchors only.

        Numbers instead of bool, because a CPU makes and uses such a matrix several times faster.
        """
        classes = self.classes.to(dtype)  # indices: exact up to 2^24
        others = classes if self.against_itself else self.other_classes.to(dtype)
        classes = classes[anchors]
        mask = torch.empty(len(classes), len(others), dtype=dtype, device=classes.device)
        return torch.eq(classes[:, None], others, out=mask)

    def positive_columns(self) -> tuple[Tensor, Tensor]:
        """Return columns [B, K] that hold every positive of an anchor once, and a mask [B, K] of
        those that are positives.

        On a CPU K is the most positives that an anchor can have; the filling repeats positives. On
        a GPU these are all M columns, because the size of the largest class would have to be
        waited for.
        """
        return (
            self._columns_of_positives()
            if self.classes.device.type == "cpu"
            else self.all_columns()
        )

    def _columns_of_positives(self) -> tuple[Tensor, Tensor]:
        classes, order = self.classes.numpy(), self.by_class.numpy()
        sizes = self.sizes.numpy()
        counts, first = (
            self.class_counts.numpy()[:, None],
            (sizes.cumsum() - sizes)[classes][:, None],
        )
        if not self.against_itself:
            slots = np.arange(sizes.max())
            places, exists = np.minimum(first + slots, len(order) - 1), slots < counts
        else:
            # Those behind the anchor in its class, then those before it.
            slots = np.arange(1, sizes.max())
            ranks = np.empty_like(order)
            ranks[order] = np.arange(len(order))
            places = first + (ranks[:, None] - first + slots) % counts
            exists = slots < counts
        return torch.from_numpy(order[places]), torch.from_numpy(exists)

    def all_columns(self) -> tuple[Tensor, Tensor]:
        """Return all columns [B, M] for each anchor, and a mask of its positives among them."""
        exists = self.classes[:, None] == self.other_classes[None, :]
        if self.against_itself:
            exists.fill_diagonal_(False)
        columns = torch.arange(exists.shape[1], device=exists.device)
        return columns.expand(exists.shape), exists

    def class_columns(self) -> tuple[Tensor, Tensor]:
        """Return the columns [B, K] of the members of each anchor's class, ascending, and a mask of
        the positives among them.

        K is the size of the largest class. The anchor itself and the filling of smaller classes are
        no positives.
        """
        by_class = self.by_class
        first = self.sizes.cumsum(0) - self.sizes  # where each class begins in by_class
        slots = torch.arange(int(self.sizes.max()), device=by_class.device)
        places = (first[self.classes][:, None] + slots).clamp_(max=len(by_class) - 1)
        columns = by_class[places]
        exists = slots < self.class_counts[:, None]
        if self.against_itself:
            exists &= columns != torch.arange(len(columns), device=columns.device)[:, None]
        return columns, exists
