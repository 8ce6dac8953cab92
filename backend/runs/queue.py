"""The queue: what waits, who is served next, and what goes before the rest."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import case, func
from sqlalchemy import select as columns
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from backend.db.database import Write
from backend.db.models import Comparison, Run, Turn
from backend.errors import ConflictError
from backend.runs.fair_share import Age, Turns
from contract.comparison.training import ANY_DEVICE


@dataclass(frozen=True)
class Work:
    """A run and whose it is."""

    run: Run
    comparison_name: str
    created_by: str


@dataclass(frozen=True)
class Waiting:
    """As much of a run that waits as its place in the queue depends on."""

    run: str
    comparison: str
    created_by: str
    priority: int
    wants: str
    age: Age


def next_run(session: Session, device: str) -> Run | None:
    """The run that a free slot of this device class gets, by backend.runs.fair_share; None if none.

    Each of the queries reads a range of one index.
    """
    mine = (col(Run.state) == "queued", col(Run.wants).in_((ANY_DEVICE, device)))
    connection = session.connection()
    priority = connection.execute(columns(func.max(Run.priority)).where(*mine)).scalar()
    if priority is None:
        return None
    level = (*mine, col(Run.priority) == priority)
    users = connection.execute(
        columns(col(Run.created_by), func.min(Run.created_at)).where(*level).group_by("created_by")
    )
    user = turns(session).first({row[0]: row[1] for row in users})
    oldest_first = (col(Run.created_at), col(Run.position), col(Run.id))
    asked = select(Run).where(*level, col(Run.created_by) == user).order_by(*oldest_first)
    return session.exec(asked.limit(1)).first()


def turns(session: Session) -> Turns:
    """How many runs each user has running, and whose turn was when."""
    rows = session.connection().execute(
        columns(col(Run.created_by), func.count())
        .where(col(Run.state) == "running")
        .group_by(col(Run.created_by))
    )
    numbers = {turn.created_by: turn.number for turn in session.exec(select(Turn)).all()}
    return Turns({row[0]: row[1] for row in rows}, numbers)


def take_turn(write: Write, user: str) -> None:
    """Note that a user got a slot just now."""
    number = turns(write.session).claimed(user)
    write.session.merge(Turn(created_by=user, number=number))


def waiting(session: Session) -> list[Waiting]:
    """All runs that wait, in no order."""
    rows = session.connection().execute(
        columns(
            col(Run.id),
            col(Run.comparison_id),
            col(Run.created_by),
            col(Run.priority),
            col(Run.wants),
            col(Run.created_at),
            col(Run.position),
        ).where(col(Run.state) == "queued")
    )
    return [
        Waiting(run, comparison, user, priority, wants, (created_at, position, run))
        for run, comparison, user, priority, wants, created_at, position in rows
    ]


def works(session: Session, ids: Collection[str]) -> dict[str, Work]:
    """Those of these runs that there are."""
    return {work.run.id: work for work in _works(session, col(Run.id).in_(ids))}


def running(session: Session) -> list[Work]:
    """The runs that some worker has."""
    return _works(session, col(Run.state) == "running")


def tally(session: Session) -> Counter[tuple[str, str]]:
    """(device class, state) -> runs that wait or run; auto is what any slot may take."""
    has = case((col(Run.device) == "cpu", "cpu"), else_="cuda")
    device = case((col(Run.state) == "queued", col(Run.wants)), else_=has)
    rows = session.connection().execute(
        columns(device, col(Run.state), func.count())
        .where(col(Run.state).in_(("queued", "running")))
        .group_by(device, col(Run.state))
    )
    counts = Counter({(ANY_DEVICE, "queued"): 0})
    for place, state, runs in rows:
        counts[place, state] += runs
    return counts


def open_comparisons(session: Session) -> list[str]:
    """Those of which a run waits or runs."""
    rows = session.exec(
        select(Run.comparison_id).where(col(Run.state).in_(("queued", "running"))).distinct()
    )
    return list(rows.all())


def move_to_front(write: Write, runs: Sequence[Run]) -> None:
    """Let these runs go before all others that wait; among themselves the oldest first.

    Raises:
        ConflictError: one of them does not wait, or there are none.
    """
    if not runs:
        raise ConflictError("none of its runs waits, so there is nothing to move to the front")
    for run in runs:
        if run.state != "queued":
            raise ConflictError(f"run {run.id} is {run.state}; only one that waits can be moved")
    own = [run.id for run in runs]
    highest = write.session.exec(
        select(Run.priority)
        .where(Run.state == "queued", col(Run.id).not_in(own))
        .order_by(col(Run.priority).desc())
        .limit(1)
    ).first()
    if highest is None:
        return  # nothing else waits
    write.session.connection().execute(
        update(Run).where(col(Run.id).in_(own)).values(priority=highest + 1)
    )


def _works(session: Session, where: ColumnElement[bool]) -> list[Work]:
    rows = session.exec(
        select(Run, Comparison.name, Comparison.created_by)
        .join(Comparison, col(Comparison.id) == Run.comparison_id)
        .where(where)
        .order_by(col(Run.created_at), col(Run.position), col(Run.id))
    ).all()
    return [Work(run, name, user) for run, name, user in rows]
