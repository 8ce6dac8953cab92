"""What a plug-in may return besides a number: the losses of its tuples, from which it is measured
how many are active."""

from dataclasses import dataclass, replace
from typing import Final, Self

import torch
from torch import Tensor

from contract.comparison.loss import ACTIVE_EPS
from worker.errors import InputError
from worker.losses.base import Part

SIDES: Final = ("positive", "negative")
"""Kinds of pairs whose side is known."""
PARTS: Final = {
    **{kind: kind for kind in ("pair", "triplet", *SIDES)},
    "anchor": "per_anchor",
    "proxy": "per_proxy",
}
"""Kind of terms -> the part as which metrics name them."""


@dataclass(frozen=True)
class Terms:
    """The losses of the tuples of a batch.

    A hinge is exactly 0 where a tuple has nothing to teach: it is active above 0. Any other loss
    only comes near 0: its tuples count as active above 0.001.
    """

    values: Tensor | None
    """The loss of each tuple, of any shape; differentiable where `value` is left out."""
    valid: Tensor | None = None
    """bool of the same shape, which of them are tuples; None for all."""
    kind: str = "pair"
    """What a tuple is: pair, triplet, anchor or proxy; or positive or negative, a pair whose side
    is known."""
    hinge: bool = False
    """Whether the values are hinges."""
    value: Tensor | None = None
    """0-d, what is trained on; by default the mean over the valid tuples."""
    anchors: Tensor | None = None
    """The anchor of each tuple, as its place in the batch (int64, of the same shape). By default
    the first axis of the values are the anchors, but for proxies."""
    selected: bool = False
    """Whether the tuples were picked among others, so that the share of all is not known."""
    more: "tuple[Terms, ...]" = ()
    """Tuples of other kinds; the mean is over all of them."""
    counts: "Counts | None" = None
    """Instead of values, see `counted`."""

    @classmethod
    def counted(
        cls,
        value: Tensor,
        *,
        kind: str,
        total: Tensor,
        active: Tensor,
        valid: Tensor,
        active_anchors: Tensor | None = None,
        mean: bool = False,
    ) -> Self:
        """Return the terms of a loss that sums and counts its tuples without listing them.

        Args:
            value: 0-d, what is trained on; differentiable.
            kind: what a tuple is.
            total: 0-d sum of the losses of all valid tuples.
            active: 0-d number of active ones (int64).
            valid: 0-d number of all (int64).
            active_anchors: 0-d, of the anchors of valid tuples the share with an active one; None
                where it is not counted.
            mean: whether the value is the total over the number of valid tuples.
        """
        counts = Counts(Part(total.detach(), active, valid), active_anchors, mean)
        return cls(None, kind=kind, value=value, counts=counts)


@dataclass(frozen=True)
class Counts:
    """Sums and counts over the tuples of one kind."""

    part: Part
    active_anchors: Tensor | None
    mean: bool


@dataclass(frozen=True)
class Summed:
    """Terms as a loss reports them."""

    value: Tensor
    """0-d, what is trained on."""
    parts: dict[str, Part]
    active_anchors: Tensor | None
    pushing_anchors: Tensor | None
    divisor: Tensor | None
    """Where every tuple weighs alike in the value: their number."""
    selected: bool


def summed(terms: Terms, items: int) -> Summed:
    """Sum and count terms.

    Args:
        terms: as a plug-in returned them.
        items: of the batch.

    Raises:
        InputError: their shapes or types do not go together; says which.
    """
    every = (replace(terms, more=()), *terms.more)
    for one in every:
        _check(one)
    parts: dict[str, Part] = {}
    for one in every:
        part, name = _part(one), PARTS[one.kind]
        parts[name] = _add(parts[name], part) if name in parts else part
    valid = torch.stack([part.valid for part in parts.values()]).sum()
    value, divisor = terms.value, None
    if value is None:
        divisor = valid.clamp(min=1)
        value = torch.stack([_total(one) for one in every]).sum() / divisor
    elif terms.counts is not None and terms.counts.mean:
        divisor = valid.clamp(min=1)
    anchors = _active_anchors(every, items)
    pushes = [one for one in every if one.kind != "positive"]
    pushing = anchors if len(pushes) == len(every) else _active_anchors(pushes, items)
    return Summed(value, parts, anchors, pushing, divisor, terms.selected)


def _check(terms: Terms) -> None:
    if terms.kind not in PARTS:
        raise InputError(f"Terms.kind: expected one of {', '.join(PARTS)}, got {terms.kind!r}")
    if terms.counts is not None:
        return
    values = terms.values
    if not isinstance(values, Tensor) or not values.is_floating_point():
        seen = values.dtype if isinstance(values, Tensor) else type(values).__name__
        raise InputError(f"Terms.values: expected a tensor of floats, got {seen}")
    for name, other, kind in (
        ("valid", terms.valid, torch.bool),
        ("anchors", terms.anchors, torch.int64),
    ):
        if other is not None and (other.shape != values.shape or other.dtype != kind):
            raise InputError(
                f"Terms.{name}: expected {kind} of shape {list(values.shape)} as the values, got "
                f"{other.dtype} of {list(other.shape)}"
            )
    if terms.value is not None and terms.value.numel() != 1:
        raise InputError(f"Terms.value: expected one number, got shape {list(terms.value.shape)}")


def _total(terms: Terms) -> Tensor:
    """Return the differentiable sum of the values."""
    if terms.counts is not None:
        return terms.counts.part.total
    assert terms.values is not None, "it was checked"
    return _valid_values(terms).sum()


def _valid_values(terms: Terms) -> Tensor:
    assert terms.values is not None, "it was checked"
    return terms.values if terms.valid is None else torch.where(terms.valid, terms.values, 0)


def _part(terms: Terms) -> Part:
    if terms.counts is not None:
        return terms.counts.part
    with torch.no_grad():
        values = _valid_values(terms)
        valid = (
            torch.tensor(values.numel(), device=values.device)
            if terms.valid is None
            else terms.valid.sum()
        )
        return Part(values.sum(), _active(terms).sum(), valid)


def _active(terms: Terms) -> Tensor:
    return _valid_values(terms).detach() > (0.0 if terms.hinge else ACTIVE_EPS)


def _active_anchors(every: "tuple[Terms, ...] | list[Terms]", items: int) -> Tensor | None:
    """Return the share of anchors with an active tuple; None where anchors are not known."""
    if any(one.kind == "proxy" for one in every) or not every:
        return None
    if every[0].counts is not None:
        return every[0].counts.active_anchors
    with torch.no_grad():
        counted = [_by_anchor(one, items) for one in every]
        if any(one is None for one in counted):
            return None
        active, valid = (
            torch.stack([one[at] for one in counted if one is not None]).any(dim=0) for at in (0, 1)
        )
        return active.sum() / valid.sum()


def _by_anchor(terms: Terms, items: int) -> tuple[Tensor, Tensor] | None:
    """Return which items of the batch have an active, and which a valid tuple, [B] bool each."""
    values = terms.values
    assert values is not None, "it was checked"
    active = _active(terms)
    valid = torch.ones_like(active) if terms.valid is None else terms.valid
    if terms.anchors is None:
        if values.ndim < 1 or len(values) != items:
            return None
        return active.reshape(items, -1).any(dim=1), valid.reshape(items, -1).any(dim=1)
    places = terms.anchors.flatten()
    found = torch.zeros(2, items, dtype=torch.int64, device=values.device)
    found[0].index_add_(0, places, active.flatten().to(torch.int64))
    found[1].index_add_(0, places, valid.flatten().to(torch.int64))
    return found[0] > 0, found[1] > 0


def _add(one: Part, other: Part) -> Part:
    return Part(one.total + other.total, one.active + other.active, one.valid + other.valid)
