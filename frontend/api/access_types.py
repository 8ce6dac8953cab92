"""What answers about people look like; docs/API.md says what each field means."""

from typing import TypedDict


class Me(TypedDict):
    """Whose token the client has."""

    name: str
    role: str
    signed_in: bool
    """False where there is no sign-in, and everybody may do everything."""


class AuditEntry(TypedDict):
    """One call that changed something, or was refused."""

    at: str
    who: str
    """Empty where nobody known called."""
    role: str
    method: str
    route: str
    """The path's template."""
    ids: dict[str, str]
    status: int


class AuditPage(TypedDict):
    """One page of the trail."""

    entries: list[AuditEntry]
    total: int
    page: int
    page_size: int
