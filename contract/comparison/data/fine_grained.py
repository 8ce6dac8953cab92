"""Larger images of classes that are hard to tell apart; as a rule split by class."""

from typing import Literal

from contract.comparison.data.shared_settings import (
    IMAGE_SIZE,
    SPLIT_SEED,
    VALIDATION,
    Seed,
    SplitBy,
    ValidateOn,
    split_by,
)
from contract.comparison.problems import Section


class FineGrained(Section):
    """What these sets share."""

    split: SplitBy = split_by("class")
    validation: ValidateOn = VALIDATION
    image_size: int = IMAGE_SIZE
    seed: Seed = SPLIT_SEED


class Cub200Data(FineGrained):
    """CUB-200-2011: 11,788 photographs of 200 species of birds."""

    kind: Literal["cub200"] = "cub200"


class Cars196Data(FineGrained):
    """Stanford Cars: 16,185 photographs of 196 models of cars."""

    kind: Literal["cars196"] = "cars196"


class SopData(FineGrained):
    """Stanford Online Products: 120,053 photographs of 22,634 products, some five each."""

    kind: Literal["sop"] = "sop"


class TinyImagenetData(FineGrained):
    """Tiny-ImageNet: 110,000 images of 64 x 64 pixels and 200 classes."""

    kind: Literal["tiny_imagenet"] = "tiny_imagenet"
