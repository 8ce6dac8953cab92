"""What a comparison trains on: one class per data kind, joined by `kind`."""

from typing import Annotated

from pydantic import Field

from contract.data.bundled import DigitsData, SyntheticData
from contract.data.facts import Items, Modalities, class_count, modalities, training_items
from contract.data.fine_grained import Cars196Data, Cub200Data, SopData, TinyImagenetData
from contract.data.images import Cifar10Data, Cifar100Data, FashionMnistData, MnistData
from contract.data.own import FeaturesData, ImageFolderData, OwnData, PairedFeaturesData
from contract.data.settings import SplitBy, ValidateOn
from contract.data.shares import TRAIN_SHARE
from contract.data.spoken_digits import SpokenDigitsData

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
