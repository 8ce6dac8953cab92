"""The tuples that a batch can form, by loss and sampler."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma
from typing import Final, Literal

from contract.comparison.loss import Loss, Selection
from contract.comparison.training import MPerClassSampler, Sampler

Unit = Literal["pairs", "triplets", "softmaxes", "items"]
"""What a loss compares: pairs, triplets, softmaxes over a batch, or items with class vectors."""

UNITS: Final[dict[str, Unit]] = {
    "contrastive": "pairs",
    "triplet": "triplets",
    "n_pair": "softmaxes",
    "info_nce": "softmaxes",
    "sup_con": "softmaxes",
    "arcface": "items",
    "center_contrastive": "items",
}


@dataclass(frozen=True)
class Tuples:
    """The tuples of one batch; means over batches, where chance decides their classes."""

    unit: Unit
    total: float
    """All that the loss can compare, of both directions where there are two modalities."""
    positive_pairs: float
    """Pairs of one class: of items, or with two modalities of an item of each."""
    negative_pairs: float
    mean: bool
    """Whether batches differ, so that these are means."""
    selection: Selection
    """Which of them are trained on."""


@dataclass(frozen=True)
class _Batch:
    """Means over batches."""

    same: float
    """Ordered pairs of two items of one class."""
    triplets: float
    """Ordered pairs of one class, each with an item of another."""
    anchors: float
    """Items with another one of their class."""
    classes: float
    """Classes with two items or more."""
    present: float
    """Classes with an item."""
    triplets_across: float
    """Of two modalities: anchors, each with an item of the other modality of its class, its own
    counterpart included, and one of another class."""


def batch_tuples(
    loss: Loss, sampler: Sampler, size: int, counts: Sequence[int] | None, *, modalities: int = 1
) -> Tuples | None:
    """Return the tuples that a batch can form; None if the class sizes that decide it are unknown,
    or the loss is a plug-in.

    Args:
        loss: of the arm.
        sampler: of the arm.
        size: of the batch.
        counts: items of each class that trains; None if unknown.
        modalities: of the data, 1 or 2.
    """
    fixed = isinstance(sampler, MPerClassSampler)
    if isinstance(sampler, MPerClassSampler):
        batch = _of_m(size, sampler.m)
    elif counts and size <= sum(counts):
        batch = _shuffled(size, counts)
    else:
        return None
    positive, negative = batch.same / 2, (size * (size - 1) - batch.same) / 2
    if modalities == 2:
        positive, negative = size + batch.same, size * (size - 1) - batch.same
    unit = UNITS.get(loss.kind)
    if unit is None:  # only a plug-in itself knows what it compares
        return None
    return Tuples(
        unit,
        _total(loss.kind, batch, size, positive + negative, two=modalities == 2),
        positive,
        negative,
        not fixed,
        getattr(loss, "selection", "all"),
    )


def _total(kind: str, batch: _Batch, size: int, pairs: float, *, two: bool) -> float:
    ways = 2 if two else 1
    one_way = {
        "contrastive": pairs,
        "triplet": batch.triplets_across if two else batch.triplets,
        "n_pair": batch.present if two else batch.classes,
        "info_nce": size + batch.same if two else batch.same,
        "sup_con": float(size) if two else batch.anchors,
        "arcface": float(size),
        "center_contrastive": float(size),
    }
    return ways * one_way[kind]


def _of_m(size: int, m: int) -> _Batch:
    classes = size // m
    return _Batch(
        same=size * (m - 1),
        triplets=size * (m - 1) * (size - m),
        anchors=size if m > 1 else 0,
        classes=classes if m > 1 else 0,
        present=classes,
        triplets_across=size * m * (size - m),
    )


def _shuffled(size: int, counts: Sequence[int]) -> _Batch:
    """Return the means over random batches of different items."""
    items = sum(counts)
    pairs = size * (size - 1) / max(1, items * (items - 1))
    same = pairs * sum(count * (count - 1) for count in counts)
    different = pairs * sum(count * (items - count) for count in counts)
    of_three = pairs * (size - 2) / max(1, items - 2)
    triplets = of_three * sum(count * (count - 1) * (items - count) for count in counts)
    anchors = classes = present = 0.0
    for count in counts:
        none = _share_of_none(size, count, items)
        # Of one item: it is any of them, and the others of its class are not in the batch.
        one = size * count / items * _share_of_none(size - 1, count - 1, items - 1)
        anchors += size * count / items - one
        classes += 1 - none - one
        present += 1 - none
    return _Batch(same, triplets, anchors, classes, present, triplets + different)


def _share_of_none(size: int, count: int, items: int) -> float:
    """Return the share of batches without an item of a class: of `items`, `count` are of it."""
    if size > items - count:
        return 0.0
    return exp(
        lgamma(items - count + 1)
        - lgamma(items - count - size + 1)
        - lgamma(items + 1)
        + lgamma(items - size + 1)
    )
