"""What is known of data before they are read: enough to refuse what cannot be trained.

How many items and classes come into which split; one rule for the API, which refuses what cannot
be split, and for the workers, which split it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from contract.comparison.data.kinds import (
    Cifar10Data,
    Cifar100Data,
    DigitsData,
    FashionMnistData,
    FeaturesData,
    FineGrained,
    ImageFolderData,
    MnistData,
    PairedFeaturesData,
    SpokenDigitsData,
    SyntheticData,
    ValidateOn,
)

TRAIN_SHARE: Final = 0.6
"""Of each class's items trains, with a split by item; the rest is halved."""
VALIDATION_PART: Final = 5
"""With a split by class, one in so many of the training half's classes, or of the items of each,
validates."""
LEAST_CLASSES: Final[dict[ValidateOn, int]] = {"classes": 8, "items": 4}
"""A split by class needs so many, by what validates: two classes in each split."""


def training_items_of(members: int) -> int:
    """Of a class with so many items, split by item: at least one, rounded down."""
    return max(1, int(members * TRAIN_SHARE))


def held_items_of(members: int) -> int:
    """Of a class of the training half with so many items: those that validate on items."""
    return max(1, members // VALIDATION_PART)


def held_classes_of(half: int) -> int:
    """Of a training half of so many classes: those that validate on classes."""
    return max(2, half // VALIDATION_PART)


Items = Literal["vectors", "images", "spectrograms"]
"""[F]; [C, H, W]; [1, mel bands, frames]."""

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
)


@dataclass(frozen=True)
class Modalities:
    """Of what an item consists."""

    items: Items
    visual: Items | None = None
    """The second modality of paired data; the first is then the audio one, whatever it is."""


def modalities(data: AnyData) -> Modalities:
    """What items of these data are."""
    match data:
        case SyntheticData() | FeaturesData():
            return Modalities("vectors")
        case SpokenDigitsData():
            return Modalities("spectrograms", "images")
        case PairedFeaturesData():
            return Modalities("vectors", "vectors")
        case _:
            return Modalities("images")


def class_count(data: AnyData) -> int | None:
    """Number of classes in the training split; None where only reading the data tells."""
    match data:
        case SyntheticData():
            return data.classes
        case Cifar100Data():
            return 20 if data.train_labels == "coarse" else 100
        case FineGrained() | ImageFolderData() | FeaturesData() | PairedFeaturesData():
            return None
        case _:
            return 10


def training_items(data: AnyData) -> int | None:
    """Number of items in the training split: as many as asked for, else 60 % of each class, rounded
    down; None where only reading the data tells."""
    match data:
        case MnistData() | FashionMnistData() | Cifar10Data() | Cifar100Data():
            return data.train_items
        case SyntheticData():
            return data.classes * training_items_of(data.per_class)
        case DigitsData():
            per_class = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
            return sum(training_items_of(members) for members in per_class)
        case _:
            return None
