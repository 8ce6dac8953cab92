"""Settings that several kinds of data share."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

Seed = Annotated[int, Field(ge=0, lt=2**31)]
SplitBy = Literal["class", "item"]
ValidateOn = Literal["classes", "items"]

# Fields are values of their own here because their texts are what the form shows.
SPLIT_SEED: Final[Any] = Field(
    0, title="Data seed", description="Decides the split, not the training."
)


def train_items(most: int) -> Any:
    """How many of the official training items train."""
    return Field(
        most,
        ge=100,
        le=most,
        title="Training items",
        description="Fewer make shorter runs; each class keeps its share.",
    )


def split_by(default: SplitBy) -> Any:
    """How items come into the splits."""
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

DATASET: Final[Any] = Field(
    "", max_length=100, title="Uploaded data set", description="Its id on the Data page."
)


def on_worker(title: str, what: str) -> Any:
    """A path instead of an upload."""
    return Field(
        "",
        max_length=4096,
        title=title,
        description=f"Instead of an upload: {what}, as an absolute path on the workers' machine.",
    )
