"""Questions about a file that can be read in several ways, and their answers.

A reader that may ask raises `UnansweredError` where an answer decides how the file is read. The
answers are kept with the data set, so that every later reader reads the same file in the same way.

A new question is a field of `Answers`, of the same name, and a place in `QUESTIONS`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contract.names import SHAPES

Dimensions = Literal["flatten", "mean", "pool"]
"""How features of more than two dimensions become one row of numbers for each item."""

MAX_COLUMNS_NAMED: Final = 65_536

ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


ColumnNames = Annotated[
    list[ColumnName], BeforeValidator(_as_list), Field(max_length=MAX_COLUMNS_NAMED)
]
"""One name or several; `emb_*` stands for emb_0, emb_1, ... in the order of their numbers."""


class ColumnRoles(BaseModel):
    """Which columns of a table are what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: ColumnNames = []
    """Of a table of one modality: an array with the items along its first axis, a column of lists,
    or several columns of one number each."""
    audio: ColumnNames = []
    """The first modality of a table of pairs."""
    visual: ColumnNames = []
    """Its second modality."""
    labels: str = Field("", max_length=1000)
    fine_labels: str = Field("", max_length=1000)
    """Labels within the classes; empty if there are none."""
    ids: str = Field("", max_length=1000)
    """A name for each row; empty if there are none."""
    text: str = Field("", max_length=1000)
    """Of a table of texts."""
    split: str = Field("", max_length=1000)
    """Of a table of texts or tuples: train, validation or test; empty if there is none."""
    anchor: str = Field("", max_length=1000)
    """Of a table of pairs or triplets, as the two after it."""
    positive: str = Field("", max_length=1000)
    negative: str = Field("", max_length=1000)
    first: str = Field("", max_length=1000)
    """Of a table of labelled or scored pairs, as the one after it."""
    second: str = Field("", max_length=1000)
    same: str = Field("", max_length=1000)
    """Of a table of labelled pairs."""
    score: str = Field("", max_length=1000)
    """Of a table of scored pairs."""


TUPLE_ROLES: Final = ("anchor", "positive", "negative", "first", "second", "same", "score")
"""The roles of columns that only tables of tuples have."""


class Answers(BaseModel):
    """Answers to the questions about a file; None where none was given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: ColumnRoles | None = None
    dimensions: Dimensions | None = None
    split: Literal["merge", "keep"] | None = None
    """What folders such as train and test above the class folders mean."""

    def given(self) -> dict[str, Any]:
        """Return the answers that were given as JSON values, without empty parts."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)

    def with_more(self, more: "Answers") -> "Answers":
        """Return these answers, with those of `more` in place of or beside them."""
        return Answers.model_validate({**self.given(), **more.given()})


NO_ANSWERS: Final = Answers()

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "image_folder": ("split",),
    "features": ("columns", "dimensions"),
    "paired_features": ("columns", "dimensions"),
    "text": ("columns",),
    **dict.fromkeys(SHAPES, ("columns",)),
}
"""Kind of an upload -> the questions that its reader may ask."""


class Choice(BaseModel):
    """One of the answers that a question allows."""

    value: str
    text: str
    """What it means, for people."""


class SeenColumn(BaseModel):
    """A column of a table, or several columns whose names differ by a number only."""

    name: str
    """As answers give it: `emb_*` stands for emb_0, emb_1, ..."""
    type: str
    """Its type and size, for people."""
    examples: list[str]
    """Its first values."""
    roles: list[str]
    """What it can be, as names of `ColumnRoles`."""
    suggested: str
    """What it seems to be, by its name and values; empty if it seems unused."""


class Question(BaseModel):
    """A question about a file."""

    name: str
    """As a field of `Answers`."""
    text: str
    choices: list[Choice]
    """The allowed answers; empty if the question is which column is what."""
    columns: list[SeenColumn]
    """What is in the table, where the question is which column is what; else empty."""


class UnansweredError(Exception):
    """A file can be read in several ways, and nobody has said yet in which."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = list(questions)
        super().__init__(" ".join(question.text for question in questions))
