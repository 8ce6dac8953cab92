"""Search comparisons, as the list of comparisons does: filter, sort, one page."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import and_, case, func
from sqlalchemy import select as columns
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, exists, or_, select

from backend.db.models import Comparison, Run, Tag
from backend.runs.progress import DONE, STATES_BY_IMPORTANCE

Sort = Literal["created_at", "name", "state"]


@dataclass(frozen=True)
class ComparisonQuery:
    """Which comparisons to find, and in which order; an empty text or None matches any."""

    q: str = ""
    """Words, each of which must occur in the name, the notes or a tag."""
    tag: str = ""
    created_by: str = ""
    state: str | None = None
    archived: bool = False
    """Whether to find archived comparisons, or the others."""
    sort: Sort = "created_at"
    descending: bool = True


def find(
    session: Session, asked: ComparisonQuery, *, page: int, page_size: int
) -> tuple[list[Comparison], int]:
    """Return one page of the comparisons that match, and how many match in all."""
    conditions = _conditions(asked)
    total = session.exec(select(func.count()).select_from(Comparison).where(*conditions)).one()
    order = _order(asked.sort)
    rows = session.exec(
        select(Comparison)
        .where(*conditions)
        .order_by(
            order.desc() if asked.descending else order.asc(),
            col(Comparison.created_at).desc(),
            col(Comparison.id),
        )
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    return list(rows), total


def _conditions(asked: ComparisonQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [col(Comparison.archived).is_(asked.archived)]
    for word in asked.q.split():
        like = f"%{_escape_like(word)}%"
        tagged = exists().where(
            col(Tag.comparison_id) == Comparison.id, col(Tag.tag).ilike(like, escape="\\")
        )
        conditions.append(
            or_(
                col(Comparison.name).ilike(like, escape="\\"),
                col(Comparison.notes).ilike(like, escape="\\"),
                tagged,
            )
        )
    if asked.tag:
        conditions.append(
            exists().where(col(Tag.comparison_id) == Comparison.id, col(Tag.tag) == asked.tag)
        )
    if asked.created_by:
        conditions.append(col(Comparison.created_by) == asked.created_by)
    if asked.state:
        conditions.append(_has_state(asked.state))
    return conditions


def _order(sort: Sort) -> ColumnElement[Any] | Mapped[Any]:
    if sort == "name":
        return func.lower(Comparison.name)
    if sort == "state":
        return _place_of_state()
    return col(Comparison.created_at)


def _has_state(state: str) -> ColumnElement[bool]:
    return _place_of_state() == STATES_BY_IMPORTANCE.index(state)


def _place_of_state() -> ColumnElement[int]:
    """Return the place of a comparison's state (backend.runs.progress.overall_state) by
    importance."""
    waits, runs = (STATES_BY_IMPORTANCE.index(state) for state in ("queued", "running"))
    places = [(col(Run.state) == state, at) for at, state in enumerate(STATES_BY_IMPORTANCE)]
    first = func.min(case(*places))
    done = func.max(case((col(Run.state).in_(DONE), 1), else_=0))
    place = case((and_(first == waits, done == 1), runs), else_=first)
    own = col(Run.comparison_id) == Comparison.id
    return columns(place).where(own).correlate(Comparison).scalar_subquery()


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
