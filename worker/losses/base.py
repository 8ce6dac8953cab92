"""The base class of all losses, and the values that a loss returns."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from numpy.typing import ArrayLike
from pydantic import BaseModel
from torch import Tensor, nn

from contract.comparison.loss import PairReduction
from worker.losses.batch import Batch, check_batch
from worker.torch_utils import as_labels, as_tensor

State = Literal["active", "nothing active", "no valid tuple"]


@dataclass(frozen=True)
class Part:
    """Sums and counts over the tuples of one kind, for example the negative pairs.

    All fields are 0-d tensors, so that only reading them waits for the device.
    """

    total: Tensor
    """Sum of the losses, for reading only: gradients flow through `LossOutput.value` alone."""
    active: Tensor
    """Number of tuples with a loss above 0, of softmax terms above ACTIVE_EPS (int64)."""
    valid: Tensor
    """Number of all tuples of this kind (int64)."""

    @property
    def active_ratio(self) -> Tensor:
        """active / valid; NaN where there is no tuple of this kind."""
        return self.active / self.valid


@dataclass(frozen=True)
class Tuples:
    """The sums and counts of a loss over a batch, before the reduction."""

    total: Tensor | Callable[[Tensor | float], Tensor]
    """Sum of the losses of the tuples trained on, or under the reduction "balanced" the value
    itself; differentiable. Or a function that gives it over a divisor, in one step of autograd."""
    parts: dict[str, Part]
    """All valid tuples of the batch, by kind."""
    active_anchors: Tensor
    """Of the anchors in at least one valid tuple, the share in at least one active tuple; NaN where
    no tuple is valid."""
    selected: dict[str, Part] | None = None
    """The tuples trained on, by kind; None where all valid ones are."""
    pushing_anchors: Tensor | None = None
    """As `active_anchors`, of the tuples that push classes apart; None where all do."""
    trivial: Tensor | None = None
    """Sum of the losses that all valid tuples would have if all embeddings coincided; None for
    losses with parameters of their own."""
    pull_weight: float | None = None
    """Weight of the positive pairs where the reduction gives them one."""
    divisor: int | None = None
    """The number that the reduction divides by, where the loss knows it."""
    false_negatives: Tensor | None = None
    """See `LossOutput.false_negatives`."""


@dataclass(frozen=True)
class LossOutput:
    """The loss of a batch: the value to backpropagate and the counts behind it."""

    value: Tensor
    """0-d loss after the reduction, to be backpropagated; a differentiable 0 where no tuple
    contributes (see `state`)."""
    parts: dict[str, Part]
    """All valid tuples of the batch, by kind, also those that are not trained on; empty for a
    plug-in that does not tell."""
    selected: dict[str, Part] | None
    """The tuples trained on, by kind; None where all valid ones are."""
    active_anchors: Tensor
    """Of the anchors in at least one valid tuple, the share in at least one active tuple; NaN where
    no tuple is valid."""
    divisor: Tensor | None
    """The number by which the sum over the tuples trained on was divided to give `value`; None
    under the reduction "balanced", which weights positive and negative pairs differently, and for a
    plug-in that weights them in a way of its own."""
    pushing_anchors: Tensor
    """As `active_anchors`, of the tuples that push classes apart: negative pairs, triplets and
    softmaxes."""
    trivial: Tensor | None
    """Sum of the losses that all valid tuples would have if all embeddings coincided; None for
    losses with parameters of their own."""
    pull_weight: float | None
    """Weight of the positive pairs where the reduction gives them one."""
    false_negatives: Tensor | None = None
    """Of the items that an anchor could be compared with as negatives, the share that belongs to
    its group and is left out; None where tuples are made of class labels or given whole."""
    knows_anchors: bool = True
    """Whether the shares of anchors are measured; NaN stands for what a plug-in does not tell."""

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
        """Mean loss over all valid tuples of all parts, also those that are not trained on; NaN
        where no tuple is valid."""
        return _sum([part.total for part in self.parts.values()]) / self.valid

    @property
    def trivial_loss(self) -> Tensor | None:
        """The value that `mean_over_valid` would have if all embeddings of the batch coincided; NaN
        where no tuple is valid, None for losses with parameters of their own."""
        return None if self.trivial is None else self.trivial / self.valid

    @property
    def state(self) -> State:
        """Whether the batch has active tuples, only inactive ones, or no valid tuple at all."""
        if not self.valid:
            return "no valid tuple"
        return "active" if self.active else "nothing active"


class Reduced(nn.Module):
    """What all losses share: their settings, and the reduction of the tuples that they sum up.

    Args:
        reduction: "sum" over the tuples trained on, "mean" over them, "mean_active" over those of
            them with a loss above 0, or "balanced", for which a loss weights its tuples itself.
        spec: all settings, for `repr`.
    """

    def __init__(self, reduction: PairReduction, spec: BaseModel | None = None) -> None:
        super().__init__()
        self.reduction = reduction
        self._spec = spec

    def extra_repr(self) -> str:
        """Return the settings, for `repr`."""
        given = {"reduction": self.reduction} if self._spec is None else self._spec.model_dump()
        return ", ".join(f"{name}={value!r}" for name, value in given.items() if name != "kind")

    def reduced(self, found: Tuples) -> LossOutput:
        """Return the output of a loss from the sums and counts of its tuples."""
        divides: Tensor | int | None = found.divisor
        if divides is None and self.reduction != "balanced":
            divides = self._divisor(found.parts if found.selected is None else found.selected)
        if not isinstance(found.total, Tensor):
            value = found.total(1 if divides is None else divides)
        else:
            value = found.total if divides is None else found.total / divides
        divisor = torch.tensor(divides) if isinstance(divides, int) else divides
        pushing = found.active_anchors if found.pushing_anchors is None else found.pushing_anchors
        return LossOutput(
            value=value,
            parts=found.parts,
            selected=found.selected,
            active_anchors=found.active_anchors,
            divisor=None if self.reduction == "balanced" else divisor,
            pushing_anchors=pushing,
            trivial=found.trivial,
            pull_weight=found.pull_weight,
            false_negatives=found.false_negatives,
        )

    def divisor(self, active: int, valid: int) -> int:
        """Return the divisor of the reduction for these numbers of tuples trained on; 1 under
        "balanced"."""
        if self.reduction in {"sum", "balanced"}:
            return 1
        return max(1, active if self.reduction == "mean_active" else valid)

    def _divisor(self, parts: dict[str, Part]) -> Tensor:
        """Return the divisor of the reduction; at least 1, so that without tuples the sum, a
        differentiable 0, is also the value."""
        active = self.reduction == "mean_active"
        counts = [part.active if active else part.valid for part in parts.values()]
        divisor = _sum(counts).clamp(min=1)
        return torch.ones_like(divisor) if self.reduction == "sum" else divisor


class Loss(Reduced):
    """Base class of the losses on class labels; a subclass implements `tuples`."""

    def forward(
        self,
        embeddings: Tensor | ArrayLike,
        labels: Tensor | ArrayLike,
        *,
        others: Tensor | ArrayLike | None = None,
        other_labels: Tensor | ArrayLike | None = None,
        generator: torch.Generator | None = None,
        check_values: bool = True,
    ) -> LossOutput:
        """Compute the loss of a batch.

        It is computed in float32 or float64, also within `torch.autocast`: float16 and bfloat16
        would lose small distances. NumPy arrays and lists become tensors, on the CPU.

        Args:
            embeddings: [B, D] floats, used as they are: no loss normalises them unless it is
                defined by cosines. float16 and bfloat16 are converted to float32.
            labels: [B] integers of any type.
            others: [M, D], given together with `other_labels`: items of another modality in the
                same space. Anchors are then the embeddings, positives and negatives the others
                (`two_ways` adds up both directions). Without it the batch is compared with itself.
            other_labels: [M] integers, the labels of `others`.
            generator: CPU generator for losses that draw tuples at random; torch's global one by
                default.
            check_values: whether to refuse embeddings that are not finite; the check waits for a
                GPU. Without it such embeddings give a value that is not finite.

        Returns:
            The value to backpropagate and the counts of valid and active tuples.

        Raises:
            InputError: an argument has a wrong shape, type or value; the message names it.
        """
        points, classes = as_points(embeddings, "embeddings"), as_labels(labels, "labels")
        other_points = None if others is None else as_points(others, "others")
        other_classes = None if other_labels is None else as_labels(other_labels, "other_labels")
        check_batch(points, classes, other_points, other_classes, values=check_values)
        if other_points is None or other_classes is None:
            batch = Batch(points, classes, points, classes, against_itself=True)
        else:
            batch = Batch(points, classes, other_points, other_classes, against_itself=False)
        with without_autocast(points.device.type):
            return self._output(batch, generator)

    def _output(self, batch: Batch, generator: torch.Generator | None) -> LossOutput:
        return self.reduced(self.tuples(batch, generator))

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return the loss of a checked batch before the reduction; subclasses implement this."""
        raise NotImplementedError


def as_points(values: Tensor | ArrayLike, name: str) -> Tensor:
    """Return embeddings as a tensor; float16 and bfloat16 as float32."""
    points = as_tensor(values, name)
    return points.float() if points.dtype in {torch.float16, torch.bfloat16} else points


def without_autocast(device: str) -> nullcontext[None] | torch.autocast:
    """Return a context in which a loss is computed in float32, also within `torch.autocast`."""
    if not torch.is_autocast_enabled(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


def _sum(scalars: list[Tensor]) -> Tensor:
    return torch.stack(scalars).sum()
