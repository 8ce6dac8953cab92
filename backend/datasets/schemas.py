"""Data sets as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel

from backend.datasets.check_report import Facts, Kind, Note, TextExample
from backend.db.models import Dataset
from backend.http.times import iso
from contract.dataset_files import Question
from contract.dataset_files.class_names import number_key, number_order


class DatasetOut(BaseModel):
    """An uploaded data set, as lists show it."""

    id: str
    name: str
    kind: Kind
    created_at: str
    state: Literal["ready", "unanswered"]
    """Unanswered: its questions have to be answered before a comparison can use it; it has no
    items until then."""
    questions: list[Question]
    answers: dict[str, Any]
    """How its file is read, where it can be read in several ways."""
    size: int
    """Bytes of the uploaded file."""
    items: int
    classes: int
    class_names: list[str]
    """Sorted, with numbers by value: 1, 2, 10."""
    has_fine: bool
    """Whether there are labels within the classes."""
    shape: dict[str, int]
    """`features` or `audio` and `visual`: numbers a row; of images `min_width`, `max_width`,
    `min_height` and `max_height` in pixels; of texts `shortest`, `median` and `longest` in
    characters."""
    has_split: bool
    """Whether it brings a split of its own: train, test and often validation."""
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
    texts: list[TextExample]
    """Beginnings of some texts of a data set of texts."""


class DatasetList(BaseModel):
    """Data sets: all that match, or one page of them."""

    datasets: list[DatasetOut]
    total: int
    """Number of data sets that match, on all pages."""
    page: int
    page_size: int | None
    """None where all are listed."""


def dataset_detail(dataset: Dataset) -> DatasetDetail:
    """Return a data set with all that is known of it."""
    facts = Facts.model_validate(dataset.facts)
    # The labels that train have another order, in which 10 is before 2; people see this one.
    order = number_order(facts.class_names)
    shown = [ThumbnailOut(n=n, **item.model_dump()) for n, item in enumerate(facts.thumbnails)]
    return DatasetDetail.model_validate(
        {
            "id": dataset.id,
            "name": dataset.name,
            "kind": dataset.kind,
            "created_at": iso(dataset.created_at),
            "state": "unanswered" if dataset.questions else "ready",
            "questions": dataset.questions,
            "answers": dataset.answers,
            "size": dataset.size,
            "items": facts.items,
            "classes": len(facts.class_names),
            "class_names": [facts.class_names[label] for label in order],
            "has_fine": facts.has_fine,
            "shape": facts.shape,
            "has_split": bool(facts.parts),
            "warnings": facts.warnings,
            "thumbnails": len(facts.thumbnails),
            "counts": [facts.counts[label] for label in order],
            "texts": sorted(facts.texts, key=lambda text: number_key(text.class_name)),
            "thumbnail_items": sorted(shown, key=lambda item: number_key(item.class_name)),
        }
    )


def dataset_out(dataset: Dataset) -> DatasetOut:
    """Return a data set as lists show it."""
    return DatasetOut.model_validate(dataset_detail(dataset), from_attributes=True)
