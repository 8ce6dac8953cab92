"""HTTP routes: read, save, change and delete views of the board."""

from fastapi import APIRouter, Request

from backend.auth import audit
from backend.auth.dependencies import Caller, User
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.views import repository as views
from backend.views.schemas import NewView, ViewList, ViewOut, ViewPatch, view_out

router = APIRouter(prefix="/views", tags=["comparisons"], route_class=JsonRoute)


@router.get("")
def list_views(database: Db) -> ViewList:
    """Return all saved views by name."""
    with database.read() as session:
        return ViewList(views=[view_out(view) for view in views.all_views(session)])


@router.post("", status_code=201)
@writes
def create_view(new: NewView, request: Request, database: Db, user: User, now: Now) -> ViewOut:
    """Save a view for everybody who uses this board; 409 if another one has its name."""
    with database.write() as write:
        made = view_out(views.create(write.session, new, user=user, now=now))
    audit.note_created(request.scope, view=made.id)
    return made


@router.get("/{view}")
def get_view(view: str, database: Db) -> ViewOut:
    """Return one saved view."""
    with database.read() as session:
        return view_out(views.get(session, view))


@router.patch("/{view}")
@writes
def update_view(view: str, patch: ViewPatch, database: Db, user: User, caller: Caller) -> ViewOut:
    """Change a view; for who saved it, and for admins."""
    with database.write() as write:
        return view_out(views.change(write.session, view, patch, person=caller, user=user))


@router.delete("/{view}", status_code=204)
@writes
def delete_view(view: str, database: Db, user: User, caller: Caller) -> None:
    """Delete a view, not the comparisons that it shows; for who saved it, and for admins."""
    with database.write() as write:
        views.remove(write.session, view, person=caller, user=user)
