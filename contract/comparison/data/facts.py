"""What is known of data before they are read: enough to refuse what cannot be trained."""

from dataclasses import dataclass
from typing import Literal

from contract.comparison.data.bundled import DigitsData, SyntheticData
from contract.comparison.data.fine_grained import FineGrained
from contract.comparison.data.images import Cifar10Data, Cifar100Data, FashionMnistData, MnistData
from contract.comparison.data.split_sizes import training_items_of
from contract.comparison.data.spoken_digits import SpokenDigitsData
from contract.comparison.data.team_data import FeaturesData, ImageFolderData, PairedFeaturesData

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
