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
    LabelledData,
    MnistData,
    PairedFeaturesData,
    SopData,
    SplitBy,
    SpokenDigitsData,
    SyntheticData,
    TeamData,
    TextData,
    TinyImagenetData,
    ValidateOn,
)
from contract.comparison.data.tuple_kinds import (
    GeneratedTuplesData,
    LabelledPairsData,
    PairsData,
    ScoredPairsData,
    TripletsData,
    TupleData,
    TupleTableData,
    shape_of,
    stored_shape,
)
from contract.names import SHAPES, TupleShape

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
    | TextData
    | PairsData
    | TripletsData
    | LabelledPairsData
    | ScoredPairsData
    | GeneratedTuplesData,
    Field(discriminator="kind"),
]

OwnData = LabelledData | PairsData | TripletsData | LabelledPairsData | ScoredPairsData
"""A team's own data."""

__all__ = [
    "SHAPES",
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
    "GeneratedTuplesData",
    "ImageFolderData",
    "Items",
    "LabelledData",
    "LabelledPairsData",
    "MnistData",
    "Modalities",
    "OwnData",
    "PairedFeaturesData",
    "PairsData",
    "ScoredPairsData",
    "SopData",
    "SplitBy",
    "SpokenDigitsData",
    "SyntheticData",
    "TeamData",
    "TextData",
    "TinyImagenetData",
    "TripletsData",
    "TupleData",
    "TupleShape",
    "TupleTableData",
    "ValidateOn",
    "class_count",
    "modalities",
    "shape_of",
    "stored_shape",
    "training_items",
]
