"""What a comparison trains on: one class per data kind, joined by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from contract.base import Section

TRAIN_SHARE = 0.6
"""Share of the items that trains; the rest is halved into validation and test."""
MNIST_TRAIN_ITEMS = 50_000
"""Of the 60,000 official training images; the others validate."""


class SyntheticData(Section):
    """Gaussian classes of several modes, after the synthetic set of arXiv 2510.02161.

    Each class is a set of `modes` centres drawn with standard deviation `mode_spread` around the
    class centre; items scatter around their mode with `within_sd`. A share of the items is blended
    with an item of another class (overlap), another share is moved far out (outliers).
    """

    kind: Literal["synthetic"] = "synthetic"
    classes: int = Field(10, ge=2, le=1000, title="Classes")
    per_class: int = Field(200, ge=10, le=10_000, title="Items a class")
    dim: int = Field(128, ge=2, le=4096, title="Features")
    modes: int = Field(3, ge=1, le=50, title="Modes a class", description="The fine labels.")
    mode_spread: float = Field(1.4, ge=0, le=100, title="Mode spread")
    within_sd: float = Field(1.0, gt=0, le=100, title="Scatter within a mode")
    overlap: float = Field(
        0.1, ge=0, le=1, title="Overlap", description="Share of items blended with another class."
    )
    outliers: float = Field(
        0.05, ge=0, le=1, title="Outliers", description="Share of items moved far out."
    )
    outlier_scale: float = Field(
        3.0, ge=1, le=100, title="Outlier scale", description="How many times wider they scatter."
    )
    seed: int = Field(0, ge=0, lt=2**31, title="Data seed")


class DigitsData(Section):
    """scikit-learn's bundled digits: 1,797 real 8 x 8 scans of handwritten digits."""

    kind: Literal["digits"] = "digits"
    seed: int = Field(
        0, ge=0, lt=2**31, title="Data seed", description="Decides the split, not the training."
    )


class MnistData(Section):
    """MNIST: 28 x 28 images of handwritten digits; 10,000 of the official 60,000 training images
    validate, the official 10,000 test images test."""

    kind: Literal["mnist"] = "mnist"
    train_items: int = Field(
        MNIST_TRAIN_ITEMS,
        ge=100,
        le=MNIST_TRAIN_ITEMS,
        title="Training items",
        description="Fewer make shorter runs; each digit keeps its share.",
    )
    seed: int = Field(
        0, ge=0, lt=2**31, title="Data seed", description="Decides the split, not the training."
    )


Data = Annotated[SyntheticData | DigitsData | MnistData, Field(discriminator="kind")]


def class_count(data: Data) -> int:
    """Number of classes in the training split."""
    return data.classes if isinstance(data, SyntheticData) else 10


def training_items(data: Data) -> int:
    """Number of items in the training split: 60 % of each class, rounded down; of MNIST as many
    as asked for."""
    if isinstance(data, MnistData):
        return data.train_items
    if isinstance(data, SyntheticData):
        return data.classes * int(data.per_class * TRAIN_SHARE)
    digits_per_class = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
    return sum(int(members * TRAIN_SHARE) for members in digits_per_class)


def holds_images(data: Data) -> bool:
    """Whether the items are images (channels x height x width) rather than plain vectors."""
    return not isinstance(data, SyntheticData)
