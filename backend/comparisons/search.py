"""Search comparisons, as the list of comparisons does: filter, sort, one page."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import and_, case, func
from sqlalchemy import select as columns
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, exists, or_, select

from backend.db.models import Comparison, ComparisonResult, Run, Tag, Trial
from backend.runs.progress import DONE, STATES_BY_IMPORTANCE

Sort = Literal["created_at", "name", "state", "result"]
"""`result` lists comparisons with the same data and main metric together, the best one first:
values of other data cannot be compared."""


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
    query = select(Comparison).where(*conditions)
    if asked.sort == "result":
        query = query.outerjoin(
            ComparisonResult, col(ComparisonResult.comparison_id) == Comparison.id
        ).order_by(*_by_result(descending=asked.descending))
    else:
        order = _order(asked.sort)
        query = query.order_by(order.desc() if asked.descending else order.asc())
    rows = session.exec(
        query.order_by(col(Comparison.created_at).desc(), col(Comparison.id))
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    return list(rows), total


def _by_result(*, descending: bool) -> list[ColumnElement[Any]]:
    """Return the order by results: those of the same data and metric together, then the others."""
    merit = col(ComparisonResult.merit)
    goes_on = exists().where(
        col(Run.comparison_id) == Comparison.id,
        col(Run.role) == "final",
        col(Run.state).in_(("queued", "running")),
    )
    return [
        case((or_(merit.is_(None), goes_on), 1), else_=0),
        col(ComparisonResult.data).asc(),
        col(ComparisonResult.metric).asc(),
        merit.desc() if descending else merit.asc(),
    ]


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
    """Return the place of a comparison's state (backend.runs.search_progress.state) by
    importance."""
    at = {state: place for place, state in enumerate(STATES_BY_IMPORTANCE)}
    places = [(col(Run.state) == state, place) for state, place in at.items()]
    first = func.min(case((col(Run.role) == "final", case(*places))))
    done = func.max(case((col(Run.state).in_(DONE), 1), else_=0))
    place = case(
        (and_(first == at["queued"], done == 1), at["running"]),
        (first.is_not(None), first),
        # A search: no final run is queued yet.
        (_any_is("running"), at["running"]),
        (_any_is("queued"), case((done == 1, at["running"]), else_=at["queued"])),
        (_trials_in("cancelled") > 0, at["cancelled"]),
        (_trials_in("failed") >= _trials(), at["failed"]),
        else_=at["running"],
    )
    own = col(Run.comparison_id) == Comparison.id
    return columns(place).where(own).correlate(Comparison).scalar_subquery()


def _any_is(state: str) -> ColumnElement[bool]:
    """Return whether one of a comparison's runs is in a state."""
    return func.max(case((col(Run.state) == state, 1), else_=0)) == 1


def _trials_in(state: str) -> ColumnElement[int]:
    """Return how many of a comparison's trials are in a state."""
    own = (col(Trial.comparison_id) == Comparison.id, col(Trial.state) == state)
    return columns(func.count()).where(*own).correlate(Comparison).scalar_subquery()


def _trials() -> ColumnElement[int]:
    """Return the number of trials that a search is meant to have, of all arms together."""
    spec = col(Comparison.spec)
    arms: ColumnElement[int] = func.json_array_length(spec["arms"])
    each: ColumnElement[int] = spec[("tuning", "trials")].as_integer()
    return arms * each


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
