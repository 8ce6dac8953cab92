"""Data sets as the API shows them, and the report that the checking process sends to the API."""

from typing import Final, Literal, get_args

from pydantic import BaseModel

from backend.db.models import Dataset
from backend.http.times import iso

Kind = Literal["image_folder", "features", "paired_features"]
"""The kinds of data that can be uploaded, as specs name them."""

KINDS: Final[tuple[str, ...]] = get_args(Kind)


class Note(BaseModel):
    """A problem or a warning."""

    where: str
    """Such as `cats/a.jpg` or `row 17, column f3`; empty for the whole data set."""
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


class DatasetOut(BaseModel):
    """An uploaded data set, as lists show it."""

    id: str
    name: str
    kind: Kind
    created_at: str
    size: int
    """Bytes of the uploaded file."""
    items: int
    classes: int
    class_names: list[str]
    has_fine: bool
    """Whether there are labels within the classes."""
    shape: dict[str, int]
    """`features` or `audio` and `visual`: numbers a row; of images `min_width`, `max_width`,
    `min_height` and `max_height` in pixels."""
    warnings: list[Note]
    thumbnails: int


class ThumbnailOut(BaseModel):
    """One of the images shown of a data set."""

    n: int
    """Its number in the address."""
    class_name: str
    file: str


class DatasetDetail(DatasetOut):
    """A data set with what is known of its classes."""

    counts: list[int]
    """Items of each class, in the order of `class_names`."""
    thumbnail_items: list[ThumbnailOut]


class DatasetList(BaseModel):
    """All data sets."""

    datasets: list[DatasetOut]


def dataset_detail(dataset: Dataset) -> DatasetDetail:
    """Return a data set with all that is known of it."""
    facts = Facts.model_validate(dataset.facts)
    return DatasetDetail.model_validate(
        {
            "id": dataset.id,
            "name": dataset.name,
            "kind": dataset.kind,
            "created_at": iso(dataset.created_at),
            "size": dataset.size,
            "items": facts.items,
            "classes": len(facts.class_names),
            "class_names": facts.class_names,
            "has_fine": facts.has_fine,
            "shape": facts.shape,
            "warnings": facts.warnings,
            "thumbnails": len(facts.thumbnails),
            "counts": facts.counts,
            "thumbnail_items": [
                ThumbnailOut(n=n, **item.model_dump()) for n, item in enumerate(facts.thumbnails)
            ],
        }
    )


def dataset_out(dataset: Dataset) -> DatasetOut:
    """Return a data set as lists show it."""
    return DatasetOut.model_validate(dataset_detail(dataset), from_attributes=True)
