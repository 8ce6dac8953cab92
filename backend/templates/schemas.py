"""Templates as the API gives them, and the requests that make and change them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from backend.comparisons.posted import SpecSchema
from backend.db.models import Template
from backend.errors import FieldOut
from backend.http.times import iso
from contract.comparison.problems import Problem
from contract.names import ONE_LINE, has_control_character

MAX_NAME: Final = 100
"""Characters of a template's name."""
MAX_NOTE: Final = 500


def _one_line(text: str) -> str:
    if has_control_character(text):
        raise ValueError(ONE_LINE)
    return text


TemplateName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_one_line),
]
Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_NOTE),
    AfterValidator(_one_line),
]
PostedSpec = Annotated[Any, SpecSchema()]


class NewTemplate(BaseModel):
    """A template to save."""

    model_config = ConfigDict(extra="forbid")

    name: TemplateName
    note: Note = ""
    """What it is for."""
    spec: PostedSpec


class TemplatePatch(BaseModel):
    """What may be changed of a template; a field that is left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    name: TemplateName | None = None
    note: Note | None = None
    spec: PostedSpec | None = None


class TemplateOut(BaseModel):
    """A template without its spec."""

    id: str
    name: str
    note: str
    created_by: str
    created_at: str


class TemplateDetail(TemplateOut):
    """A template with its spec."""

    spec: dict[str, Any]
    problems: list[FieldOut]
    """Why a comparison of this spec would be refused now, such as a data set that was deleted."""


class TemplateList(BaseModel):
    """All templates, by name."""

    templates: list[TemplateOut]


def template_out(template: Template) -> TemplateOut:
    """Return a template as lists give it."""
    return TemplateOut(
        id=template.id,
        name=template.name,
        note=template.note,
        created_by=template.created_by,
        created_at=iso(template.created_at),
    )


def template_detail(template: Template) -> TemplateDetail:
    """Return a template with its spec, in which nothing is wrong as far as is known."""
    return TemplateDetail(**template_out(template).model_dump(), spec=template.spec, problems=[])


def with_problems(detail: TemplateDetail, problems: Sequence[Problem]) -> TemplateDetail:
    """Return the same template with what is wrong with its spec."""
    fields = [FieldOut(path=path, message=message) for path, message in problems]
    return detail.model_copy(update={"problems": fields})
