"""What the check of an upload finds out: the message from the checking process to the API."""

from typing import Final, Literal, get_args

from pydantic import BaseModel

Kind = Literal["image_folder", "features", "paired_features"]
"""The data kinds of a spec that can be uploaded."""

KINDS: Final[tuple[str, ...]] = get_args(Kind)


class Note(BaseModel):
    """A problem or a warning."""

    where: str
    """`cats/a.jpg`, `row 17, column f3`; empty for the whole."""
    message: str


class Thumbnail(BaseModel):
    """One of the images shown of a data set."""

    class_name: str
    file: str
    """Its path in the uploaded archive, below the folder around all classes."""


class Facts(BaseModel):
    """A data set that is in order."""

    items: int
    class_names: list[str]
    counts: list[int]
    """Items of each class."""
    has_fine: bool
    """Whether there are labels within the classes."""
    shape: dict[str, int]
    """`features` or `audio` and `visual`: numbers a row; of images the smallest and the largest
    width and height in pixels."""
    warnings: list[Note]
    thumbnails: list[Thumbnail]


class Report(BaseModel):
    """How a check ended: with facts, or with problems."""

    facts: Facts | None = None
    problems: list[Note] = []
    """The first of them."""
    total: int = 0
    """How many problems there are in all."""
