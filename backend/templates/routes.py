"""HTTP routes: read, save, change and delete templates of comparisons."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from backend.auth import audit
from backend.auth.dependencies import Caller, User
from backend.comparisons.posted import Roots, parse_posted
from backend.datasets.requirements import upload_problems
from backend.db.database import Database
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.templates import repository as templates
from backend.templates.schemas import (
    NewTemplate,
    TemplateDetail,
    TemplateList,
    TemplatePatch,
    template_detail,
    template_out,
    with_problems,
)
from backend.tuning.budget import MostRuns
from contract.comparison.problems import Problem, SpecError
from contract.comparison.spec import parse_spec

router = APIRouter(prefix="/templates", tags=["comparisons"], route_class=JsonRoute)


@router.get("")
def list_templates(database: Db) -> TemplateList:
    """Return all templates by name, without their specs."""
    with database.read() as session:
        found = templates.all_templates(session)
    return TemplateList(templates=[template_out(one) for one in found])


@router.post("", status_code=201)
@writes
def create_template(
    new: NewTemplate,
    request: Request,
    *,
    database: Db,
    data_roots: Roots,
    most: MostRuns,
    user: User,
    now: Now,
) -> TemplateDetail:
    """Save a template for everybody who uses this board; 409 if another one has its name."""
    spec = _checked(new.spec, database, data_roots, most)
    with database.write() as write:
        made = templates.create(
            write.session, name=new.name, note=new.note, spec=spec, user=user, now=now
        )
        detail = template_detail(made)
    audit.note_created(request.scope, template=detail.id)
    return detail


@router.get("/{template}")
def get_template(template: str, database: Db, data_roots: Roots, most: MostRuns) -> TemplateDetail:
    """Return one template with its spec, and what is wrong with that by now."""
    with database.read() as session:
        detail = template_detail(templates.get(session, template))
    return with_problems(detail, _problems(detail.spec, database, data_roots, most))


@router.patch("/{template}")
@writes
def update_template(
    template: str,
    patch: TemplatePatch,
    *,
    database: Db,
    data_roots: Roots,
    most: MostRuns,
    user: User,
    caller: Caller,
) -> TemplateDetail:
    """Rename a template, or replace its note or its spec; for who saved it, and for admins."""
    with database.read() as session:  # who may not change it learns nothing about the spec
        templates.own(session, template, caller, user)
    given = None if patch.spec is None else _checked(patch.spec, database, data_roots, most)
    with database.write() as write:
        changed = templates.change(
            write.session,
            template,
            name=patch.name,
            note=patch.note,
            spec=given,
            person=caller,
            user=user,
        )
        detail = template_detail(changed)
    return with_problems(detail, _problems(detail.spec, database, data_roots, most))


@router.delete("/{template}", status_code=204)
@writes
def delete_template(template: str, database: Db, user: User, caller: Caller) -> None:
    """Delete a template, not the comparisons that were made from it; for who saved it, and for
    admins."""
    with database.write() as write:
        templates.remove(write.session, template, person=caller, user=user)


def _checked(
    raw: object, database: Database, data_roots: Sequence[Path], most: int
) -> dict[str, Any]:
    """Return a spec as it is stored: with every setting, and with the ready-made spaces of a search
    left to the API.

    Raises:
        SpecError: a comparison of this spec would be refused; the paths begin with `spec`.
    """
    if problems := _problems(raw, database, data_roots, most):
        raise SpecError([Problem(f"spec.{path}".rstrip("."), text) for path, text in problems])
    return parse_spec(raw).model_dump(mode="json")


def _problems(
    raw: object, database: Database, data_roots: Sequence[Path], most: int
) -> list[Problem]:
    """Return why a comparison of this spec would be refused."""
    try:
        parse_posted(raw, database, data_roots, most)
    except SpecError as error:
        return error.problems
    with database.read() as session:
        return upload_problems(session, raw)
