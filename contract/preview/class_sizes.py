"""The class sizes of data that are known without reading them: generated, bundled or published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contract.comparison.data import (
    Cars196Data,
    Cifar10Data,
    Cifar100Data,
    Cub200Data,
    Data,
    DigitsData,
    FashionMnistData,
    GeneratedTextData,
    MnistData,
    SopData,
    SpokenDigitsData,
    SyntheticData,
    TinyImagenetData,
)
from contract.comparison.data.facts import DIGITS_PER_CLASS

MNIST_TRAIN: Final = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
MNIST_TEST: Final = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
RECORDINGS: Final = 50
"""Recordings of each spoken digit by each speaker."""
SPEAKERS: Final = 6
TINY_IMAGENET: Final = (550,) * 200
"""500 images of train and 50 of val of each class."""


@dataclass(frozen=True)
class ClassSizes:
    """Items of each class, in the order of the classes."""

    counts: tuple[int, ...]
    """Of all items; with official parts, of the training part."""
    parts: Mapping[str, Sequence[int]] | None = None
    """Items of each class in train, validation and test of a split that the data have."""
    tested: tuple[int, ...] | None = None
    """Items of each class in an official test part."""
    validated: int = 0
    """How many items of an official training part validate."""
    groups: int = 1
    """Groups of equal size within each class that are split one by one, such as speakers or
    intents."""


@dataclass(frozen=True)
class PublishedHalves:
    """What is published of fine-grained images: the two halves of a split by class."""

    classes: tuple[int, int]
    items: tuple[int, int]
    fewest: int
    """Items of the smallest class."""


HALVES: Final[dict[type, PublishedHalves]] = {
    Cub200Data: PublishedHalves((100, 100), (5_864, 5_924), fewest=41),
    Cars196Data: PublishedHalves((98, 98), (8_054, 8_131), fewest=48),
    SopData: PublishedHalves((11_318, 11_316), (59_551, 60_502), fewest=2),
}
"""Song et al. 2016, Deep Metric Learning via Lifted Structured Feature Embedding, section 6."""


_PUBLISHED: Final[dict[type, ClassSizes]] = {
    DigitsData: ClassSizes(DIGITS_PER_CLASS),
    SpokenDigitsData: ClassSizes((RECORDINGS * SPEAKERS,) * 10, groups=SPEAKERS),
    MnistData: ClassSizes(MNIST_TRAIN, tested=MNIST_TEST, validated=10_000),
    FashionMnistData: ClassSizes((6_000,) * 10, tested=(1_000,) * 10, validated=10_000),
    Cifar10Data: ClassSizes((5_000,) * 10, tested=(1_000,) * 10, validated=10_000),
    # Items are drawn with the shares of the fine classes, whichever labels train.
    Cifar100Data: ClassSizes((500,) * 100, tested=(100,) * 100, validated=10_000),
    TinyImagenetData: ClassSizes(TINY_IMAGENET),
}


def class_sizes(data: Data) -> ClassSizes | None:
    """Return the class sizes of these data; None if they are unknown before the data are read."""
    if isinstance(data, SyntheticData):
        return ClassSizes((data.per_class,) * data.classes)
    if isinstance(data, GeneratedTextData):
        of_domain = data.intents * data.per_intent
        return ClassSizes((of_domain,) * data.domains, groups=data.intents)
    return _PUBLISHED.get(type(data))
