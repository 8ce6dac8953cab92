"""Saved views as the API gives them, and the requests that make and change them."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.auth.permissions import MAX_NAME_LENGTH
from backend.comparisons.search import Sort
from backend.db.models import BoardView
from backend.http.times import iso
from backend.runs.schemas import State
from contract.comparison.spec import NewName

MAX_COLUMNS: Final = 30
Column = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,30}$")]


class ViewFilters(BaseModel):
    """Which comparisons a view shows; an empty text or null matches any."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=200)
    """Words of the name, the notes or the tags."""
    tag: str = Field("", max_length=50)
    created_by: str = Field("", max_length=MAX_NAME_LENGTH)
    state: State | None = None
    archived: bool = False


class NewView(BaseModel):
    """A view to save."""

    model_config = ConfigDict(extra="forbid")

    name: NewName
    filters: ViewFilters = ViewFilters()
    columns: list[Column] = Field([], max_length=MAX_COLUMNS)
    """Names of the page's columns, in their order; empty for the usual ones."""
    sort: Sort = "created_at"


class ViewPatch(BaseModel):
    """What may be changed of a view; a field that is left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    name: NewName | None = None
    filters: ViewFilters | None = None
    columns: list[Column] | None = Field(None, max_length=MAX_COLUMNS)
    sort: Sort | None = None


class ViewOut(BaseModel):
    """A saved view of the board."""

    id: str
    name: str
    filters: ViewFilters
    columns: list[str]
    sort: Sort
    created_by: str
    created_at: str


class ViewList(BaseModel):
    """All saved views, by name."""

    views: list[ViewOut]


def view_out(view: BoardView) -> ViewOut:
    """Return a view as the API gives it."""
    return ViewOut(
        id=view.id,
        name=view.name,
        filters=ViewFilters.model_validate(view.filters),
        columns=view.columns,
        sort=view.sort,
        created_by=view.created_by,
        created_at=iso(view.created_at),
    )
