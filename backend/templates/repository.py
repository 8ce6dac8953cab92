"""Templates in the database."""

import secrets
from typing import Any, Final, cast

from sqlalchemy import func
from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import Session, col, select

from backend.auth.permissions import Person
from backend.db.models import Template
from backend.errors import ConflictError, ForbiddenError, NotFoundError

Spec = dict[str, Any]

MAX_TEMPLATES: Final = 200
_SPEC: Final = cast("QueryableAttribute[Spec]", Template.spec)


def all_templates(session: Session) -> list[Template]:
    """Return all templates by name, without their specs, which may be large."""
    query = select(Template).options(defer(_SPEC, raiseload=True))
    return list(session.exec(query.order_by(func.lower(Template.name))).all())


def get(session: Session, template: str) -> Template:
    """Return one template.

    Raises:
        NotFoundError: no template has this id; it may have been deleted.
    """
    found = session.get(Template, template)
    if found is None:
        raise NotFoundError(f"there is no template {template!r}; it may have been deleted")
    return found


def create(
    session: Session, *, name: str, note: str, spec: Spec, user: str, now: float
) -> Template:
    """Save a template.

    Raises:
        ConflictError: another template has this name, or there are too many.
    """
    _check_name(session, name)
    if session.exec(select(func.count()).select_from(Template)).one() >= MAX_TEMPLATES:
        raise ConflictError(f"there are {MAX_TEMPLATES} templates already; delete one first")
    template = Template(
        id=f"t{secrets.token_hex(5)}",
        name=name,
        note=note,
        spec=spec,
        created_by=user,
        created_at=now,
    )
    session.add(template)
    return template


def change(
    session: Session,
    template: str,
    *,
    name: str | None,
    note: str | None,
    spec: Spec | None,
    person: Person,
    user: str,
) -> Template:
    """Change a template; None leaves a field as it is.

    Raises:
        NotFoundError: no template has this id.
        ForbiddenError: it is somebody else's, and the caller is no admin.
        ConflictError: another template has the new name.
    """
    found = own(session, template, person, user)
    if name is not None and name != found.name:
        _check_name(session, name)
        found.name = name
    if note is not None:
        found.note = note
    if spec is not None:
        found.spec = spec
    session.add(found)
    return found


def remove(session: Session, template: str, *, person: Person, user: str) -> None:
    """Delete a template.

    Raises:
        NotFoundError: no template has this id.
        ForbiddenError: it is somebody else's, and the caller is no admin.
    """
    session.delete(own(session, template, person, user))


def own(session: Session, template: str, person: Person, user: str) -> Template:
    """Return a template that the caller may change.

    In an open API everybody is an admin (backend.auth.permissions).

    Raises:
        NotFoundError: no template has this id.
        ForbiddenError: it is somebody else's, and the caller is no admin.
    """
    found = get(session, template)
    if found.created_by != user and not person.may("admin"):
        raise ForbiddenError(
            f"the template {found.name!r} belongs to {found.created_by}: only they and admins "
            "change it"
        )
    return found


def _check_name(session: Session, name: str) -> None:
    if session.exec(select(Template.id).where(col(Template.name) == name)).first():
        raise ConflictError(f"another template is called {name!r}; choose another name")
