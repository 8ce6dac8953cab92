"""What a comparison trains on: one class per data kind, joined by `kind`."""

from typing import Annotated

from pydantic import Field

from contract.comparison.data.bundled import DigitsData, SyntheticData
from contract.comparison.data.facts import (
    Items,
    Modalities,
    class_count,
    modalities,
    training_items,
)
from contract.comparison.data.fine_grained import Cars196Data, Cub200Data, SopData, TinyImagenetData
from contract.comparison.data.images import Cifar10Data, Cifar100Data, FashionMnistData, MnistData
from contract.comparison.data.shared_settings import SplitBy, ValidateOn
from contract.comparison.data.split_sizes import TRAIN_SHARE
from contract.comparison.data.spoken_digits import SpokenDigitsData
from contract.comparison.data.team_data import (
    FeaturesData,
    ImageFolderData,
    OwnData,
    PairedFeaturesData,
)

Data = Annotated[
    SyntheticData
    | DigitsData
    | MnistData
    | FashionMnistData
    | Cifar10Data
    | Cifar100Data
    | Cub200Data
    | Cars196Data
    | SopData
    | TinyImagenetData
    | ImageFolderData
    | FeaturesData
    | SpokenDigitsData
    | PairedFeaturesData,
    Field(discriminator="kind"),
]

__all__ = [
    "TRAIN_SHARE",
    "Cars196Data",
    "Cifar10Data",
    "Cifar100Data",
    "Cub200Data",
    "Data",
    "DigitsData",
    "FashionMnistData",
    "FeaturesData",
    "ImageFolderData",
    "Items",
    "MnistData",
    "Modalities",
    "OwnData",
    "PairedFeaturesData",
    "SopData",
    "SplitBy",
    "SpokenDigitsData",
    "SyntheticData",
    "TinyImagenetData",
    "ValidateOn",
    "class_count",
    "modalities",
    "training_items",
]
