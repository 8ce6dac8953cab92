"""The queue in the database: which runs wait, which is next, and how one is moved to the front."""

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
from backend.plugins.repository import NO_PLUGIN
from backend.runs.fair_share import Age, Turns
from contract.comparison.training import ANY_DEVICE


@dataclass(frozen=True)
class RunWithOwner:
    """A run with the name and the owner of its comparison."""

    run: Run
    comparison_name: str
    created_by: str


@dataclass(frozen=True)
class QueuedRun:
    """What the place of a queued run in the queue depends on."""

    run: str
    comparison: str
    arm: str
    role: str
    created_by: str
    priority: int
    wants: str
    age: Age
    loss_digest: str = NO_PLUGIN


def next_run(session: Session, device: str, digests: Collection[str] = ()) -> Run | None:
    """Return the run that a free slot of this device class gets next; None if none waits for it.

    A run whose loss is a plug-in is for slots that have it: `digests` are those of the slot.

    backend.runs.fair_share says which it is. Each of the queries reads a range of one index.
    """
    fitting = (
        col(Run.state) == "queued",
        col(Run.wants).in_((ANY_DEVICE, device)),
        col(Run.loss_digest).in_((NO_PLUGIN, *digests)),
    )
    connection = session.connection()
    priority = connection.execute(columns(func.max(Run.priority)).where(*fitting)).scalar()
    if priority is None:
        return None
    level = (*fitting, col(Run.priority) == priority)
    users = connection.execute(
        columns(col(Run.created_by), func.min(Run.created_at)).where(*level).group_by("created_by")
    )
    user = turns(session).first({row[0]: row[1] for row in users})
    oldest_first = (col(Run.created_at), col(Run.position), col(Run.id))
    of_user = select(Run).where(*level, col(Run.created_by) == user).order_by(*oldest_first)
    return session.exec(of_user.limit(1)).first()


def trained_with(session: Session, first: Run, device: str, limit: int) -> list[Run]:
    """Return the next queued runs that might be trained together with one that a slot of a device
    class gets: those of its comparison that differ in arm, seed and settings alone, start after the
    same step, and have lost no trainer since their last checkpoint."""
    query = (
        select(Run)
        .where(
            col(Run.state) == "queued",
            col(Run.wants).in_((ANY_DEVICE, device)),
            col(Run.loss_digest) == NO_PLUGIN,  # others are trained alone
            col(Run.priority) == first.priority,
            col(Run.created_by) == first.created_by,
            col(Run.comparison_id) == first.comparison_id,
            col(Run.role) == first.role,
            col(Run.fold).is_not_distinct_from(first.fold),
            col(Run.strikes) == 0,
            col(Run.start_after) == first.start_after,
            col(Run.checkpoint).is_(None) == (first.checkpoint is None),
        )
        .order_by(col(Run.created_at), col(Run.position), col(Run.id))
    )
    return list(session.exec(query.limit(limit)).all())


def turns(session: Session) -> Turns:
    """Return how many slots each user has, and when each had the last turn.

    Runs that are trained together have one slot.
    """
    slot = case((col(Run.shared).is_(None), col(Run.id)), else_=col(Run.worker))
    rows = session.connection().execute(
        columns(col(Run.created_by), func.count(func.distinct(slot)))
        .where(col(Run.state) == "running")
        .group_by(col(Run.created_by))
    )
    numbers = {turn.created_by: turn.number for turn in session.exec(select(Turn)).all()}
    return Turns({row[0]: row[1] for row in rows}, numbers)


def take_turn(write: Write, user: str) -> None:
    """Note that a user got a slot just now."""
    number = turns(write.session).claimed(user)
    write.session.merge(Turn(created_by=user, number=number))


def queued_runs(session: Session) -> list[QueuedRun]:
    """Return all queued runs, in no order."""
    rows = session.connection().execute(
        columns(
            col(Run.id),
            col(Run.comparison_id),
            col(Run.arm),
            col(Run.role),
            col(Run.created_by),
            col(Run.priority),
            col(Run.wants),
            col(Run.created_at),
            col(Run.position),
            col(Run.loss_digest),
        ).where(col(Run.state) == "queued")
    )
    return [
        QueuedRun(
            *(run, comparison, arm, role, user, priority, wants),
            (created_at, position, run),
            digest,
        )
        for run, comparison, arm, role, user, priority, wants, created_at, position, digest in rows
    ]


def queued_of(session: Session, comparison: str) -> set[str]:
    """Return the queued runs of a comparison."""
    wanted = select(Run.id).where(col(Run.comparison_id) == comparison, col(Run.state) == "queued")
    return set(session.exec(wanted))


def runs_with_owner(session: Session, ids: Collection[str]) -> dict[str, RunWithOwner]:
    """Return those of these runs that exist, by id."""
    return {work.run.id: work for work in _select_runs(session, col(Run.id).in_(ids))}


def running_runs(session: Session) -> list[RunWithOwner]:
    """Return the runs that a worker has."""
    return _select_runs(session, col(Run.state) == "running")


def count_by_device(session: Session) -> Counter[tuple[str, str]]:
    """Return the numbers of queued and running runs by (device class, state).

    The device class of a queued run is the one it wants; "auto" means that any slot may take it.
    """
    running_on = case((col(Run.device) == "cpu", "cpu"), else_="cuda")
    device = case((col(Run.state) == "queued", col(Run.wants)), else_=running_on)
    rows = session.connection().execute(
        columns(device, col(Run.state), func.count())
        .where(col(Run.state).in_(("queued", "running")))
        .group_by(device, col(Run.state))
    )
    counts = Counter({(ANY_DEVICE, "queued"): 0})
    for device_class, state, runs in rows:
        counts[device_class, state] += runs
    return counts


def move_to_front(write: Write, runs: Sequence[Run]) -> None:
    """Move queued runs before all other queued runs; among themselves the oldest stays first.

    Raises:
        ConflictError: one of them is not queued, or `runs` is empty.
    """
    if not runs:
        raise ConflictError("none of its runs waits, so there is nothing to move to the front")
    for run in runs:
        if run.state != "queued":
            raise ConflictError(f"run {run.id} is {run.state}; only one that waits can be moved")
    moved = [run.id for run in runs]
    highest = write.session.exec(
        select(Run.priority)
        .where(Run.state == "queued", col(Run.id).not_in(moved))
        .order_by(col(Run.priority).desc())
        .limit(1)
    ).first()
    if highest is None:
        return  # nothing else waits
    write.session.connection().execute(
        update(Run).where(col(Run.id).in_(moved)).values(priority=highest + 1)
    )


def _select_runs(session: Session, where: ColumnElement[bool]) -> list[RunWithOwner]:
    rows = session.exec(
        select(Run, Comparison.name, Comparison.created_by)
        .join(Comparison, col(Comparison.id) == Run.comparison_id)
        .where(where)
        .order_by(col(Run.created_at), col(Run.position), col(Run.id))
    ).all()
    return [RunWithOwner(run, name, user) for run, name, user in rows]
