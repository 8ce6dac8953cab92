"""Splits by class and by item: which items train, which validate and which test."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from contract.comparison.data import SplitBy, ValidateOn
from contract.comparison.data.draws import (
    class_split_generator,
    drawn_training_classes,
    held_out_classes,
)
from contract.comparison.data.facts import (
    MIN_CLASSES,
    drawn_validation_items,
    training_items_of_class,
    validation_items_of_class,
)
from worker.errors import DataError


@dataclass(frozen=True)
class Indices:
    """Sorted indices of the items of each split; no item is in two of them."""

    train: np.ndarray
    """[N] int64, as the other two."""
    validation: np.ndarray
    test: np.ndarray


def split(
    labels: np.ndarray,
    *,
    by: SplitBy,
    validation: ValidateOn = "classes",
    seed: int,
    training_classes: int | None = None,
    draw_classes: bool = False,
) -> Indices:
    """Split by class or by item, as a spec says; see `split_by_class` and `split_by_item`.

    Raises:
        DataError: there are too few classes, or classes with too few items.
    """
    if by == "class":
        return split_by_class(
            labels,
            validation=validation,
            seed=seed,
            training_classes=training_classes,
            draw_classes=draw_classes,
        )
    return split_by_item(labels, seed=seed)


def split_by_item(labels: np.ndarray, *, seed: int) -> Indices:
    """Split each class 60 : 20 : 20 at random into train, validation and test.

    Every class of five or more items is in every split. The number of training items of a class is
    60 % rounded down, but at least one.

    Args:
        labels: [N] integers.
        seed: alone decides the split.

    Raises:
        DataError: a split would hold no class of two items.
    """
    rng = np.random.default_rng([seed, 1])
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        train = training_items_of_class(len(members))
        validation = (len(members) - train) // 2
        for part, own in zip(parts, np.split(members, [train, train + validation]), strict=True):
            part.append(own)
    return _check_indices(labels, *(_join_sorted(part) for part in parts))


def split_by_class(
    labels: np.ndarray,
    *,
    validation: ValidateOn,
    seed: int,
    training_classes: int | None = None,
    draw_classes: bool = False,
) -> Indices:
    """Train on the first half of the classes and test on the second, which is never trained on; or
    on a half drawn at random.

    To pick the best epoch, a part of the training half is held out: a fifth of its classes, or a
    fifth of the items of each class.

    Args:
        labels: [N] integers; they give the order of the classes.
        validation: what is held out, "classes" or "items".
        seed: decides which classes or items are held out, and which classes train if they are
            drawn.
        training_classes: number of classes that are the training half; by default half of all,
            rounded down.
        draw_classes: draw the training half by the seed, instead of the first classes.

    Raises:
        DataError: there are too few classes, or classes with too few items.
    """
    classes = np.unique(labels)
    half = len(classes) // 2 if training_classes is None else training_classes
    least = MIN_CLASSES[validation]
    if len(classes) < least:
        raise DataError(
            f"a split by class that validates on {validation} needs {least} classes or more, the "
            f"data have {len(classes)}; "
            + (
                "validate on items, or split by item"
                if validation == "classes"
                else "split by item"
            )
        )
    training = classes[:half]
    if draw_classes:
        training = drawn_training_classes(classes, half, seed)
    rng = class_split_generator(seed)
    learnt = np.isin(labels, training)
    if validation == "classes":
        kept_out = np.isin(labels, held_out_classes(training, rng))
    else:
        kept_out = np.zeros(len(labels), dtype=bool)
        for label in training:
            members = rng.permutation(np.flatnonzero(labels == label))
            kept_out[members[: validation_items_of_class(len(members))]] = True
    return _check_indices(
        labels,
        np.flatnonzero(learnt & ~kept_out),
        np.flatnonzero(kept_out),
        np.flatnonzero(~learnt),
    )


def given_split(parts: np.ndarray, labels: np.ndarray, *, seed: int) -> Indices:
    """Split as the data set's own parts say.

    Args:
        parts: [N] `train`, `validation` or `test`. Without validation, a fifth of the training
            items of each class validates.
        labels: [N] integers.
        seed: decides which items validate, if there is no validation part.

    Raises:
        DataError: a split would hold no class of two items, or one class only.
    """
    train, validation, test = (
        np.flatnonzero(parts == part) for part in ("train", "validation", "test")
    )
    if not len(validation):
        rng = np.random.default_rng([seed, 4])
        drawn = []
        for label in np.unique(labels[train]):
            members = rng.permutation(train[labels[train] == label])
            drawn.append(members[: drawn_validation_items(len(members))])
        validation = _join_sorted(drawn)
        train = np.setdiff1d(train, validation)
    return _check_indices(labels, train, validation, test)


def _join_sorted(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate(list(parts)))


def _check_indices(
    labels: np.ndarray, train: np.ndarray, validation: np.ndarray, test: np.ndarray
) -> Indices:
    """Return the indices, after checking every split."""
    for name, index in (("training", train), ("validation", validation), ("test", test)):
        check_part(labels, index, name)
    return Indices(train, validation, test)


def check_part(labels: np.ndarray, index: np.ndarray, name: str) -> None:
    """Check that a split has two classes and a positive pair.

    Args:
        labels: [N] integers.
        index: of the split's items.
        name: of the split.

    Raises:
        DataError: it lacks one of them.
    """
    sizes = np.unique(labels[index], return_counts=True)[1]
    if not (sizes >= 2).any():
        raise DataError(
            f"the {name} split would hold {len(index)} items and no class with two of them, "
            "so that no item has anything to be compared with; give more items a class, or "
            "split another way"
        )
    if len(sizes) < 2:
        raise DataError(f"the {name} split would hold one class only, and nothing to tell it from")
