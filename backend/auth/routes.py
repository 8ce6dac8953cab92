"""HTTP routes: who the caller is, and the audit log."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from backend.auth import audit
from backend.auth.dependencies import User
from backend.auth.middleware import PERSON_KEY
from backend.auth.permissions import Person, Role
from backend.db.models import Audit
from backend.http.dependencies import Db
from backend.http.times import iso

router = APIRouter(tags=["access"])


class Me(BaseModel):
    """The caller."""

    name: str
    """Shown with what they submit."""
    role: Role
    signed_in: bool
    """False on a server without tokens, where everybody may do everything."""


class AuditEntry(BaseModel):
    """One call that changed something, or was refused."""

    at: str
    who: str
    """Empty where the caller was unknown."""
    role: Role | Literal["open", ""]
    """The role at that time; "open" on a server without tokens, where `who` is only a claim."""
    method: str
    route: str
    """The path's template."""
    ids: dict[str, str]
    """The values of the path's parameters, and the ids of what was created."""
    status: int
    """The HTTP status of the answer."""


class AuditPage(BaseModel):
    """One page of the audit trail."""

    entries: list[AuditEntry]
    total: int
    page: int
    page_size: int


class _AuditQuery(BaseModel):
    who: str | None = Field(None, description="Of one person only; empty for callers unknown.")
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=200)


@router.get("/me")
def get_me(request: Request, user: User) -> Me:
    """Return the name and the role of the caller's token."""
    person: Person = request.scope[PERSON_KEY]
    return Me(name=user, role=person.role, signed_in=person.authenticated)


@router.get("/audit")
def list_audit(asked: Annotated[_AuditQuery, Query()], database: Db) -> AuditPage:
    """Return who changed what, newest first; the last 100,000 calls are kept."""
    with database.read() as session:
        found, total = audit.entries_page(
            session, who=asked.who, page=asked.page, page_size=asked.page_size
        )
        entries = [_entry(row) for row in found]
    return AuditPage(entries=entries, total=total, page=asked.page, page_size=asked.page_size)


def _entry(row: Audit) -> AuditEntry:
    return AuditEntry.model_validate({**row.model_dump(exclude={"id"}), "at": iso(row.at)})
