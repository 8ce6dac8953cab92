"""The sizes of the three splits of a run, before its data are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from contract.comparison.data import Cifar100Data, Data
from contract.comparison.data.draws import (
    apportion,
    class_split_generator,
    drawn_training_classes,
    fold_classes,
    fold_generator,
    held_out_classes,
)
from contract.comparison.data.facts import (
    TRAIN_SHARE,
    VALIDATION_PART,
    drawn_validation_items,
    training_items_of_class,
    validation_classes,
    validation_items_of_class,
)
from contract.comparison.data.kinds import FineGrained
from contract.comparison.tuning import Fold
from contract.preview.amounts import Amount
from contract.preview.class_sizes import HALVES, ClassSizes, PublishedHalves

COARSE_CLASSES: Final = 20


@dataclass(frozen=True)
class PartSize:
    """One split."""

    items: Amount | None = None
    classes: Amount | None = None
    smallest: Amount | None = None
    """Items of its smallest class."""


@dataclass(frozen=True)
class SplitSizes:
    """The three splits; `None` stands for what is not known before the data are read."""

    train: PartSize
    validation: PartSize
    test: PartSize | None
    """None of a trial, which has no test split."""
    training_counts: tuple[int, ...] | None = None
    """Items of each class in the training split of the first run; None if they are not known."""


@dataclass(frozen=True)
class Counts:
    """Items of each class, [C] each, in the three splits of a run."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def sizes(self, *, trial: bool = False) -> SplitSizes:
        """Return the sizes of these splits."""
        train, validation, test = map(_part, (self.train, self.validation, self.test))
        counts = tuple(int(count) for count in self.train if count)
        return SplitSizes(train, validation, None if trial else test, counts)


def split_sizes(
    data: Data, sizes: ClassSizes | None, seeds: Sequence[int], fold: Fold | None = None
) -> SplitSizes:
    """Return the sizes of the splits of runs.

    Args:
        data: of the spec.
        sizes: of the classes; None if they are not known.
        seeds: data seeds of the runs whose split is one of several of the same data; empty if all
            runs have the split of the spec.
        fold: of a trial's run; None for an ordinary run.
    """
    redrawn = bool(seeds)
    if sizes is None:
        return _published(data, redrawn=redrawn, fold=fold)
    each = []
    for seed in seeds or [data.seed]:
        counts = split_counts(data.model_copy(update={"seed": seed}), sizes, redrawn=redrawn)
        if fold is not None:
            counts = fold_counts(data, counts, fold)
        each.append(counts.sizes(trial=fold is not None))
        if not redrawn or getattr(data, "split", "item") != "class":
            break  # the other splits have as many items of each class
    return _coarse(over_runs(each), data)


def over_runs(each: Sequence[SplitSizes]) -> SplitSizes:
    """Return the sizes over several runs or folds."""
    tests = [one.test for one in each]
    return SplitSizes(
        _over_parts([one.train for one in each]),
        _over_parts([one.validation for one in each]),
        _over_parts([one for one in tests if one is not None]) if all(tests) else None,
        each[0].training_counts,
    )


def split_counts(data: Data, sizes: ClassSizes, *, redrawn: bool = False) -> Counts:
    """Return the items of each class in the splits of one run.

    Args:
        data: of the spec, with the data seed of the run.
        sizes: of the classes.
        redrawn: whether the split is one of several of the same data, so that the classes of the
            training half are drawn.
    """
    if sizes.tested is not None:
        return _official(data, sizes)
    if getattr(data, "split", "item") == "given":
        return _given(sizes)
    counts = np.asarray(sizes.counts)
    if getattr(data, "split", "item") == "item":
        groups = sizes.groups
        own = [_by_item(count // groups) for count in sizes.counts]
        return Counts(*(np.array(part) * groups for part in zip(*own, strict=True)))
    classes = np.arange(len(counts))
    half = len(classes) // 2
    training = classes[:half]
    if redrawn:
        training = drawn_training_classes(classes, half, data.seed)
    learnt = np.isin(classes, training)
    if getattr(data, "validation", "classes") == "classes":
        held = np.isin(classes, held_out_classes(training, class_split_generator(data.seed)))
        kept_out = np.where(held, counts, 0)
    else:
        fifths = np.array([validation_items_of_class(count) for count in sizes.counts])
        kept_out = np.where(learnt, fifths, 0)
    return Counts(np.where(learnt, counts - kept_out, 0), kept_out, np.where(learnt, 0, counts))


def fold_counts(data: Data, counts: Counts, fold: Fold) -> Counts:
    """Return the items of each class in the splits of a trial's run in one fold.

    Args:
        data: of the spec.
        counts: of an ordinary run.
        fold: which of how many.
    """
    limited = hasattr(data, "train_items")
    own = counts.train if limited else counts.train + counts.validation
    if not np.any((counts.train > 0) & (counts.test > 0)):  # no tested class is trained on
        classes = np.flatnonzero(own)
        held_classes = fold_classes(classes, fold.number, fold.of, fold_generator(data.seed))
        held = np.where(np.isin(np.arange(len(own)), held_classes), own, 0)
    else:
        # Items are dealt class after class, one to each fold in turn.
        ends = np.cumsum(own)
        dealt = -(-(np.stack((ends - own, ends)) - fold.number) // fold.of)
        held = dealt[1] - dealt[0]
    return Counts(own - held, held, np.zeros_like(own))


def _by_item(members: int) -> tuple[int, int, int]:
    train = training_items_of_class(members)
    validation = (members - train) // 2
    return train, validation, members - train - validation


def _given(sizes: ClassSizes) -> Counts:
    assert sizes.parts is not None, "a given split has parts"
    train = np.asarray(sizes.parts["train"])
    if "validation" in sizes.parts:
        validation = np.asarray(sizes.parts["validation"])
    else:
        validation = np.array([drawn_validation_items(int(count)) for count in train])
        train = train - validation
    return Counts(train, validation, np.asarray(sizes.parts["test"]))


def _official(data: Data, sizes: ClassSizes) -> Counts:
    counts = np.asarray(sizes.counts)
    validation = apportion(counts, sizes.validated)
    rest = counts - validation
    asked = int(getattr(data, "train_items", rest.sum()))
    train = apportion(rest, min(asked, int(rest.sum())))
    return Counts(train, validation, np.asarray(sizes.tested))


def _part(counts: np.ndarray) -> PartSize:
    some = counts[counts > 0]
    return PartSize(
        Amount.exactly(int(counts.sum())),
        Amount.exactly(len(some)),
        Amount.exactly(int(some.min())) if len(some) else None,
    )


def _over_parts(parts: Iterable[PartSize]) -> PartSize:
    own = list(parts)
    return PartSize(
        Amount.over(one.items for one in own),
        Amount.over(one.classes for one in own),
        Amount.over(one.smallest for one in own),
    )


def _coarse(sizes: SplitSizes, data: Data) -> SplitSizes:
    """Return the sizes with the coarse classes of CIFAR-100, where these train: five fine classes
    each, so that their sizes are known to within five items."""
    if not (isinstance(data, Cifar100Data) and data.train_labels == "coarse"):
        return sizes

    def joined(part: PartSize) -> PartSize:
        assert part.items is not None, "its items are known"
        whole, rest = divmod(part.items.least, COARSE_CLASSES)
        smallest = Amount.near(whole) if rest else Amount.exactly(whole)
        return PartSize(part.items, Amount.exactly(COARSE_CLASSES), smallest)

    whole, rest = divmod(sum(sizes.training_counts or ()), COARSE_CLASSES)
    counts = tuple(whole + (at < rest) for at in range(COARSE_CLASSES))
    test = None if sizes.test is None else joined(sizes.test)
    return SplitSizes(joined(sizes.train), joined(sizes.validation), test, counts)


def _published(data: Data, *, redrawn: bool, fold: Fold | None) -> SplitSizes:
    """Return the sizes of fine-grained images, of whose classes only the sums are published."""
    halves = HALVES.get(type(data))
    unknown = SplitSizes(PartSize(), PartSize(), PartSize() if fold is None else None)
    if halves is None or not isinstance(data, FineGrained):
        return unknown
    if data.split == "class":
        return _published_by_class(data, halves, redrawn=redrawn, fold=fold)
    if halves.fewest < VALIDATION_PART:
        return unknown  # how many classes have too few items for each split is not published
    classes, items = sum(halves.classes), sum(halves.items)
    tested = items * (1 - TRAIN_SHARE) / 2
    test = _about(tested, classes) if fold is None else None
    part = tested if fold is None else (items - tested) / fold.of
    return SplitSizes(_about(items - tested - part, classes), _about(part, classes), test)


def _published_by_class(
    data: FineGrained, halves: PublishedHalves, *, redrawn: bool, fold: Fold | None
) -> SplitSizes:
    learnt, classes = halves.items[0], halves.classes[0]
    if fold is not None or data.validation == "classes":
        held = validation_classes(classes)
        if fold is not None:
            held = -(-(classes - fold.number) // fold.of)
        part = learnt * held / classes
        train, validation = _about(learnt - part, classes - held), _about(part, held)
    else:
        part = max(learnt / VALIDATION_PART, classes)  # at least one item of each class validates
        train, validation = _about(learnt - part, classes), _about(part, classes)
    if fold is not None:
        return SplitSizes(train, validation, None)
    tested = Amount.near(halves.items[1]) if redrawn else Amount.exactly(halves.items[1])
    return SplitSizes(train, validation, PartSize(tested, Amount.exactly(halves.classes[1])))


def _about(items: float, classes: int) -> PartSize:
    return PartSize(Amount.near(items), Amount.exactly(classes))
