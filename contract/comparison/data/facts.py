"""What is known about data before they are read: modalities, sizes of splits, number of classes.

The rules for the sizes of splits serve both the API, which refuses data that cannot be split, and
the workers, which split them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from contract.comparison.data.kinds import (
    Cifar10Data,
    Cifar100Data,
    DigitsData,
    FashionMnistData,
    FeaturesData,
    FineGrained,
    GeneratedTextData,
    ImageFolderData,
    MnistData,
    PairedFeaturesData,
    SplitBy,
    SpokenDigitsData,
    SyntheticData,
    TextData,
    ValidateOn,
)
from contract.comparison.data.tuple_kinds import GeneratedTuplesData, TupleTableData

TRAIN_SHARE: Final = 0.6
"""Share of the items of each class that train, with a split by item; the rest is halved."""
VALIDATION_PART: Final = 5
"""With a split by class, 1 / VALIDATION_PART of the classes of the training half, or of the items
of each, validate."""
MIN_CLASSES: Final[dict[ValidateOn, int]] = {"classes": 8, "items": 4}
"""Fewest classes for a split by class, by what validates: each split then has two."""


def training_items_of_class(members: int) -> int:
    """Return the number of training items of a class with `members` items that is split by item:
    rounded down, but at least one."""
    return max(1, int(members * TRAIN_SHARE))


def validation_items_of_class(members: int) -> int:
    """Return the number of validation items of a class with `members` items, if items validate."""
    return max(1, members // VALIDATION_PART)


def validation_classes(half: int) -> int:
    """Return the number of validation classes of a training half, if classes validate."""
    return max(2, half // VALIDATION_PART)


def split_problem(
    counts: Sequence[int], *, by: SplitBy, validation: ValidateOn, draw_classes: bool = False
) -> str:
    """Return why classes of these sizes cannot be split; empty if they can.

    The text says what is needed and what there is. It begins with a verb, for a sentence whose
    subject is the data set.

    Args:
        counts: items of each class, in order.
        by: split by class or by item.
        validation: what validates, with a split by class.
        draw_classes: whether the training half of a split by class is drawn, so that it may be the
            one with the fewest items.
    """
    if by == "class":
        return _class_split_problem(sorted(counts) if draw_classes else counts, validation)
    held = [_held_of_class(count) for count in counts]
    fewest = next(count for count in range(1, 100) if _held_of_class(count) >= 2)
    if max(held, default=0) < 2:
        return (
            f"needs {fewest} items or more in a class for a split by item, and the largest class "
            f"has {max(counts, default=0)}; bring more items, or split by class"
        )
    if sum(count > 0 for count in held) < 2:
        fewest = next(count for count in range(1, 100) if _held_of_class(count))
        return (
            f"needs {fewest} items or more in two classes for a split by item, and only one class "
            "has as many; bring more items, or split by class"
        )
    return ""


def _held_of_class(members: int) -> int:
    """Return the number of validation items of a class that is split by item."""
    return (members - training_items_of_class(members)) // 2


def _class_split_problem(counts: Sequence[int], validation: ValidateOn) -> str:
    least = MIN_CLASSES[validation]
    if len(counts) < least:
        enough = validation != "items" and len(counts) >= MIN_CLASSES["items"]
        other = "validate on items, or " if enough else ""
        return (
            f"needs {least} classes or more for a split by class that validates on {validation}, "
            f"and has {len(counts)}; {other}split by item"
        )
    half = counts[: len(counts) // 2]
    # Where whole classes validate, each of them has at least two items.
    if validation == "items" and max(map(validation_items_of_class, half)) < 2:
        return (
            f"needs {2 * VALIDATION_PART} items or more in a class of the training half for a "
            f"split by class that validates on items, and the largest has {max(half)}; bring more "
            "items, or split another way"
        )
    return ""


def drawn_validation_items(members: int) -> int:
    """Return the number of training items of a class that validate where a given split has no
    validation part."""
    return 0 if members < 2 else validation_items_of_class(members)


def given_split_problem(counts: Mapping[str, Sequence[int]], noun: str = "images") -> str:
    """Return why a given split cannot be used; empty if it can.

    Args:
        counts: name of each part -> its items of each class.
        noun: what the items are, in the plural.
    """
    for part, sizes in counts.items():
        if sum(size > 0 for size in sizes) < 2 or max(sizes) < 2:
            return (
                f"needs two classes or more in its {part} part, one of them with two {noun} or "
                f"more; that part has {sum(size > 0 for size in sizes)} classes and "
                f"{sum(sizes)} {noun}"
            )
    return ""


Items = Literal["vectors", "images", "spectrograms", "texts"]
"""Kind of items; their shapes are [F], [C, H, W] and [1, mel bands, frames]. Texts have none before
an encoder's tokenizer has read them."""

AnyData = (
    SyntheticData
    | DigitsData
    | MnistData
    | FashionMnistData
    | Cifar10Data
    | Cifar100Data
    | FineGrained
    | ImageFolderData
    | FeaturesData
    | SpokenDigitsData
    | PairedFeaturesData
    | GeneratedTextData
    | TextData
    | TupleTableData
    | GeneratedTuplesData
)


@dataclass(frozen=True)
class Modalities:
    """The modalities of an item."""

    items: Items
    visual: Items | None = None
    """The second modality of paired data; the first is then called audio, of any kind."""


def modalities(data: AnyData) -> Modalities:
    """Return the modalities of the items of these data."""
    match data:
        case SyntheticData() | FeaturesData():
            return Modalities("vectors")
        case SpokenDigitsData():
            return Modalities("spectrograms", "images")
        case PairedFeaturesData():
            return Modalities("vectors", "vectors")
        case GeneratedTextData() | TextData() | GeneratedTuplesData():
            return Modalities("texts")
        case TupleTableData():
            return Modalities("vectors" if data.items else "texts")
        case _:
            return Modalities("images")


DIGITS_PER_CLASS: Final = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
"""Items of each class of the bundled digits."""


def class_count(data: AnyData) -> int | None:
    """Return the number of classes in the training split; None if unknown before reading them."""
    match data:
        case SyntheticData():
            return data.classes
        case GeneratedTextData():
            return data.domains
        case Cifar100Data():
            return 20 if data.train_labels == "coarse" else 100
        case FineGrained() | ImageFolderData() | FeaturesData() | PairedFeaturesData():
            return None
        case TextData() | TupleTableData() | GeneratedTuplesData():
            return None
        case _:
            return 10


def training_items(data: AnyData) -> int | None:
    """Return the number of items in the training split; None if unknown before reading the data.

    It is the number that the spec asks for, or else 60 % of each class, rounded down.
    """
    match data:
        case MnistData() | FashionMnistData() | Cifar10Data() | Cifar100Data():
            return data.train_items
        case SyntheticData():
            return data.classes * training_items_of_class(data.per_class)
        case GeneratedTextData():
            groups = data.domains * data.intents
            return groups * training_items_of_class(data.per_intent)
        case DigitsData():
            return sum(training_items_of_class(members) for members in DIGITS_PER_CLASS)
        case _:
            return None


def has_fine_labels(data: AnyData) -> bool | None:
    """Return whether the items have fine labels that no loss sees; None if unknown before reading
    them."""
    match data:
        case SyntheticData() | Cifar100Data() | SpokenDigitsData() | GeneratedTextData():
            return True
        case ImageFolderData() | FeaturesData() | PairedFeaturesData() | TextData():
            return None
        case _:
            return False


def fold_problem(data: AnyData, folds: int) -> str:
    """Return why the items that are not tested cannot be divided into so many folds, as far as
    their number is known before they are read; empty if they can."""
    counts = fold_items(data)
    return "" if counts is None else fold_items_problem(counts, folds)


def fold_items_problem(counts: Sequence[int], folds: int) -> str:
    """Return why classes of these sizes cannot be divided by item into so many folds: each of them
    needs two classes, and two items of one."""
    sizes = sorted(counts)[-2:]
    if len(sizes) == 2 and sizes[0] >= folds and sizes[1] >= 2 * folds:
        return ""
    return (
        f"{folds} folds need {2 * folds} items or more in a class that are not tested, and the "
        f"largest has {sizes[-1] if sizes else 0}; take fewer folds"
    )


def fold_classes_problem(classes: int, folds: int) -> str:
    """Return why so many classes cannot be divided into so many folds: each needs two of them."""
    if classes >= 2 * folds:
        return ""
    return (
        f"{folds} folds need {2 * folds} classes or more in the training half, and there are "
        f"{classes}; take fewer folds"
    )


def fold_items(data: AnyData) -> list[int] | None:
    """Return the number of items of each class that folds are made of: all that are not tested, or
    with official parts the training items; None if unknown before the data are read."""
    match data:
        case MnistData() | FashionMnistData() | Cifar10Data() | Cifar100Data():
            classes = class_count(data) or 1
            return [data.train_items // classes] * classes
        case SyntheticData():
            return [untested_items_of_class(data.per_class)] * data.classes
        case GeneratedTextData():
            return [data.intents * untested_items_of_class(data.per_intent)] * data.domains
        case DigitsData():
            return [untested_items_of_class(members) for members in DIGITS_PER_CLASS]
        case _:
            return None


def untested_items_of_class(members: int) -> int:
    """Return the number of training and validation items of a class that is split by item."""
    return training_items_of_class(members) + _held_of_class(members)


def fold_training_items(data: AnyData, folds: int) -> int | None:
    """Return the fewest items that train in one of so many folds; None if unknown."""
    counts = fold_items(data)
    return None if counts is None else sum(counts) - -(-sum(counts) // folds)
