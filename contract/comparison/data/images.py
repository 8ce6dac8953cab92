"""Small images with official training and test parts; fetched when a run first needs them."""

from typing import Final, Literal

from pydantic import Field

from contract.comparison.data.shared_settings import SPLIT_SEED, Seed, train_items
from contract.comparison.problems import Section

MNIST_TRAIN_ITEMS: Final = 50_000
"""Of the 60,000 official training images; the others validate."""
CIFAR_TRAIN_ITEMS: Final = 40_000
"""Of the 50,000 official training images; the others validate."""


class MnistData(Section):
    """MNIST: 28 x 28 images of handwritten digits; 10,000 of the official 60,000 training images
    validate, the official 10,000 test images test."""

    kind: Literal["mnist"] = "mnist"
    train_items: int = train_items(MNIST_TRAIN_ITEMS)
    seed: Seed = SPLIT_SEED


class FashionMnistData(Section):
    """Fashion-MNIST: 28 x 28 images of clothes; parts as MNIST's."""

    kind: Literal["fashion_mnist"] = "fashion_mnist"
    train_items: int = train_items(MNIST_TRAIN_ITEMS)
    seed: Seed = SPLIT_SEED


class Cifar10Data(Section):
    """CIFAR-10: 32 x 32 colour images; 10,000 of the official 50,000 training images validate, the
    official 10,000 test images test."""

    kind: Literal["cifar10"] = "cifar10"
    train_items: int = train_items(CIFAR_TRAIN_ITEMS)
    seed: Seed = SPLIT_SEED


class Cifar100Data(Section):
    """CIFAR-100: as CIFAR-10, with 20 coarse classes of 5 fine ones each."""

    kind: Literal["cifar100"] = "cifar100"
    train_labels: Literal["coarse", "fine"] = Field(
        "coarse",
        title="Labels",
        description="Coarse: 20 classes train, and their 100 fine classes, which no loss sees, "
        "measure detail retention. Fine: the 100 classes train.",
    )
    train_items: int = train_items(CIFAR_TRAIN_ITEMS)
    seed: Seed = SPLIT_SEED
