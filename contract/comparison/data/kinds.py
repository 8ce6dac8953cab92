"""The kinds of data and their settings, one class for each kind.

In this order: settings that several kinds share; data that need no file, because they are
generated or bundled with a library; fine-grained images, by default split by class; small images
with official training and test parts; recordings paired with images; and a team's own data.
Generated texts stand with the data that need no file, a team's own texts with its own data.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contract.comparison.problems import Section

Seed = Annotated[int, Field(ge=0, lt=2**31)]
SplitBy = Literal["class", "item"]
GivenSplitBy = Literal["class", "item", "given"]
ValidateOn = Literal["classes", "items"]
Background = Literal["none", "white", "grey", "black"]

# Shared fields are constants, because the form shows their texts, which have to be the same.
SPLIT_SEED: Final[Any] = Field(
    0, title="Data seed", description="Decides the split, not the training."
)


def train_items(limit: int) -> Any:
    """Return the field for the number of official training items that train."""
    return Field(
        limit,
        ge=100,
        le=limit,
        title="Training items",
        description="Fewer make shorter runs; each class keeps its share.",
    )


def split_by(default: SplitBy) -> Any:
    """Return the field for the kind of split."""
    return Field(
        default,
        title="Split by",
        description="Class: the first half of the classes trains, the second half tests, so that "
        "no tested class was seen. Item: every class is in every split, 60 : 20 : 20.",
    )


VALIDATION: Final[Any] = Field(
    "classes",
    title="Validate on",
    description="With a split by class. Classes: a fifth of the training half's classes only "
    "validates. Items: all of them train, and a fifth of each one's items validates.",
)

IMAGE_SIZE: Final[Any] = Field(
    64,
    ge=8,
    le=512,
    title="Image side",
    description="In pixels, for encoders that take any size; pretrained ones ask for their own.",
)

BACKGROUND: Final[Any] = Field(
    "none",
    title="Background",
    description="What transparent parts of images are laid on. None drops transparency, so that "
    "the colours stored below it show, often black.",
    # Stored specs without the setting keep their meaning; the form begins with another value.
    json_schema_extra={"x-initial": "white"},
)

DATASET: Final[Any] = Field(
    "", max_length=100, title="Uploaded data set", description="Its id on the Data page."
)


def worker_path(title: str, what: str) -> Any:
    """Return the field for a path on the workers' machine, instead of an upload."""
    return Field(
        "",
        max_length=4096,
        title=title,
        description=f"Instead of an upload: {what}, as an absolute path on the workers' machine.",
    )


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
    seed: Seed = Field(0, title="Data seed")


MAX_INTENTS: Final = 8
"""Intents that each domain of generated texts has phrases for."""


class GeneratedTextData(Section):
    """Short generated requests, such as people type to an assistant: each domain is a class, and
    its intents are the fine labels, which no loss sees."""

    kind: Literal["generated_text"] = "generated_text"
    domains: int = Field(8, ge=2, le=10, title="Domains", description="The classes that train.")
    intents: int = Field(
        5,
        ge=2,
        le=MAX_INTENTS,
        title="Intents a domain",
        description="The fine labels, which no loss sees.",
    )
    per_intent: int = Field(
        40, ge=10, le=200, title="Texts an intent", description="No two texts are the same."
    )
    asides: float = Field(
        0.4,
        ge=0,
        le=1,
        title="Asides",
        description="Share of texts that also mention a thing of another domain.",
    )
    seed: Seed = Field(0, title="Data seed")


class DigitsData(Section):
    """scikit-learn's bundled digits: 1,797 real 8 x 8 scans of handwritten digits."""

    kind: Literal["digits"] = "digits"
    seed: Seed = SPLIT_SEED


class FineGrained(Section):
    """Settings of all fine-grained image sets."""

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


MNIST_TRAIN_ITEMS: Final = 50_000
"""Number of the 60,000 official training images that train; the others validate."""
CIFAR_TRAIN_ITEMS: Final = 40_000
"""Number of the 50,000 official training images that train; the others validate."""


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


class SpokenDigitsData(Section):
    """Free Spoken Digit Dataset: recordings as log-mel spectrograms, each with an image of its
    digit; the fine label is the speaker."""

    kind: Literal["spoken_digits"] = "spoken_digits"
    images: Literal["mnist", "digits"] = Field(
        "mnist", title="Images", description="Where each recording's image comes from."
    )
    mel_bands: int = Field(64, ge=16, le=128, title="Mel bands")
    frames: int = Field(
        64, ge=16, le=512, title="Frames", description="Of 16 ms; longer recordings are cut."
    )
    seed: Seed = SPLIT_SEED


class TeamData(Section):
    """What all of a team's own data share."""

    dataset: str = DATASET

    @property
    def path(self) -> str:
        """Path on the workers' machine; empty for an upload."""
        raise NotImplementedError


class ImageFolderData(TeamData):
    """Images in one folder a class."""

    kind: Literal["image_folder"] = "image_folder"
    folder: str = worker_path("Folder", "a folder of class folders")
    split: GivenSplitBy = Field(
        "class",
        title="Split by",
        description="Class: the first half of the classes trains, the second half tests, so that "
        "no tested class was seen. Item: every class is in every split, 60 : 20 : 20. Given: as "
        "folders such as train, val and test above the class folders say.",
    )
    validation: ValidateOn = VALIDATION
    merge: bool = Field(
        default=False,
        title="Merge train, val and test",
        description="For a folder with folders such as train and test above its class folders: "
        "put them together and split them again.",
    )
    image_size: int = IMAGE_SIZE
    background: Background = BACKGROUND
    seed: Seed = SPLIT_SEED

    @property
    def path(self) -> str:
        """Path of the folder."""
        return self.folder


class _TeamTable(TeamData):
    file: str = worker_path("File", "an npz, Parquet, CSV, h5 or mat file")
    split: SplitBy = split_by("item")
    validation: ValidateOn = VALIDATION
    standardize: bool = Field(
        default=False,
        title="Standardize features",
        description="Give each feature the mean 0 and the standard deviation 1 of the training "
        "split; for features of very different or very large or small size.",
    )
    seed: Seed = SPLIT_SEED

    @property
    def path(self) -> str:
        """Path of the file."""
        return self.file


class FeaturesData(_TeamTable):
    """A table of features with labels, as npz, Parquet, CSV, HDF5 or mat."""

    kind: Literal["features"] = "features"


class PairedFeaturesData(_TeamTable):
    """A table of two modalities, row by row of one thing: audio and visual features, or any two."""

    kind: Literal["paired_features"] = "paired_features"
    file: str = worker_path("File", "an npz, Parquet, CSV, h5 or mat file, or AVE's folder")


class TextData(TeamData):
    """A table of texts with labels, as CSV, Parquet or JSON lines."""

    kind: Literal["text"] = "text"
    file: str = worker_path("File", "a CSV, Parquet or JSON lines file")
    split: GivenSplitBy = Field(
        "item",
        title="Split by",
        description="Class: the first half of the classes trains, the second half tests, so that "
        "no tested class was seen. Item: every class is in every split, 60 : 20 : 20. Given: as "
        "the table's column `split` says.",
    )
    validation: ValidateOn = VALIDATION
    seed: Seed = SPLIT_SEED

    @property
    def path(self) -> str:
        """Path of the file."""
        return self.file


LabelledData = ImageFolderData | FeaturesData | PairedFeaturesData | TextData
"""A team's own data with class labels."""
