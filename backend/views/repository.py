"""Saved views in the database."""

import secrets
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.auth.permissions import Person
from backend.db.models import BoardView
from backend.errors import ConflictError, ForbiddenError, NotFoundError
from backend.views.schemas import NewView, ViewPatch

MAX_VIEWS: Final = 200


def all_views(session: Session) -> list[BoardView]:
    """Return all views by name."""
    return list(session.exec(select(BoardView).order_by(func.lower(BoardView.name))).all())


def get(session: Session, view: str) -> BoardView:
    """Return one view.

    Raises:
        NotFoundError: no view has this id; it may have been deleted.
    """
    found = session.get(BoardView, view)
    if found is None:
        raise NotFoundError(f"there is no saved view {view!r}; it may have been deleted")
    return found


def create(session: Session, new: NewView, *, user: str, now: float) -> BoardView:
    """Save a view.

    Raises:
        ConflictError: another view has this name, or there are too many.
    """
    _check_name(session, new.name)
    if session.exec(select(func.count()).select_from(BoardView)).one() >= MAX_VIEWS:
        raise ConflictError(f"there are {MAX_VIEWS} saved views already; delete one first")
    view = BoardView(
        id=f"v{secrets.token_hex(5)}",
        name=new.name,
        filters=new.filters.model_dump(mode="json"),
        columns=list(new.columns),
        sort=new.sort,
        created_by=user,
        created_at=now,
    )
    session.add(view)
    return view


def change(
    session: Session, view: str, patch: ViewPatch, *, person: Person, user: str
) -> BoardView:
    """Change a view.

    Raises:
        NotFoundError: no view has this id.
        ForbiddenError: it is somebody else's, and the caller is no admin.
        ConflictError: another view has the new name.
    """
    found = _own(session, view, person, user)
    if patch.name is not None and patch.name != found.name:
        _check_name(session, patch.name)
        found.name = patch.name
    if patch.filters is not None:
        found.filters = patch.filters.model_dump(mode="json")
    if patch.columns is not None:
        found.columns = list(patch.columns)
    if patch.sort is not None:
        found.sort = patch.sort
    session.add(found)
    return found


def remove(session: Session, view: str, *, person: Person, user: str) -> None:
    """Delete a view.

    Raises:
        NotFoundError: no view has this id.
        ForbiddenError: it is somebody else's, and the caller is no admin.
    """
    session.delete(_own(session, view, person, user))


def _own(session: Session, view: str, person: Person, user: str) -> BoardView:
    """Return a view that the caller may change.

    In an open API everybody is an admin (backend.auth.permissions).
    """
    found = get(session, view)
    if found.created_by != user and not person.may("admin"):
        raise ForbiddenError(
            f"the view {found.name!r} belongs to {found.created_by}: only they and admins change it"
        )
    return found


def _check_name(session: Session, name: str) -> None:
    if session.exec(select(BoardView.id).where(col(BoardView.name) == name)).first():
        raise ConflictError(f"another saved view is called {name!r}; choose another name")
