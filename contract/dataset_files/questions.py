"""Questions about a file that can be read in several ways, and their answers.

A reader that may ask raises `UnansweredError` where an answer decides how the file is read. The
answers are kept with the data set, so that every later reader reads the same file in the same way.

A new question is a field of `Answers`, of the same name, and a place in `QUESTIONS`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

Dimensions = Literal["flatten", "mean", "pool"]
"""How features of more than two dimensions become one row of numbers for each item."""


class Answers(BaseModel):
    """Answers to the questions about a file; None where none was given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimensions: Dimensions | None = None

    def given(self) -> dict[str, Any]:
        """Return the answers that were given as JSON values, without empty parts."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)

    def with_more(self, more: "Answers") -> "Answers":
        """Return these answers, with those of `more` in place of or beside them."""
        return Answers.model_validate({**self.given(), **more.given()})


NO_ANSWERS: Final = Answers()

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "image_folder": (),
    "features": ("dimensions",),
    "paired_features": ("dimensions",),
}
"""Kind of an upload -> the questions that its reader may ask."""


class Choice(BaseModel):
    """One of the answers that a question allows."""

    value: str
    text: str
    """What it means, for people."""


class Question(BaseModel):
    """A question about a file."""

    name: str
    """As a field of `Answers`."""
    text: str
    choices: list[Choice]
    """The allowed answers."""


class UnansweredError(Exception):
    """A file can be read in several ways, and nobody has said yet in which."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = list(questions)
        super().__init__(" ".join(question.text for question in questions))
