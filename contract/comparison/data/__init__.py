"""The data section of a spec: one class for each kind of data, selected by `kind`."""

from typing import Annotated

from pydantic import Field

from contract.comparison.data.facts import (
    TRAIN_SHARE,
    Items,
    Modalities,
    class_count,
    modalities,
    training_items,
)
from contract.comparison.data.kinds import (
    Cars196Data,
    Cifar10Data,
    Cifar100Data,
    Cub200Data,
    DigitsData,
    FashionMnistData,
    FeaturesData,
    GeneratedTextData,
    ImageFolderData,
    MnistData,
    OwnData,
    PairedFeaturesData,
    SopData,
    SplitBy,
    SpokenDigitsData,
    SyntheticData,
    TextData,
    TinyImagenetData,
    ValidateOn,
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
    | PairedFeaturesData
    | GeneratedTextData
    | TextData,
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
    "GeneratedTextData",
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
    "TextData",
    "TinyImagenetData",
    "ValidateOn",
    "class_count",
    "modalities",
    "training_items",
]
