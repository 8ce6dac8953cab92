"""Receivers, alerts and their deliveries in the database."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, or_, update
from sqlalchemy import select as columns
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from backend.alerts import events, outbox
from backend.alerts.posting import Outcome
from backend.alerts.signature import create_secret
from backend.db.database import Write
from backend.db.models import Alert, AlertDelivery, AlertReceiver, Comparison
from backend.errors import ConflictError, NotFoundError

MAX_RECEIVERS: Final = 20
"""Of the board, and of one comparison."""
PAUSES_S: Final = (10, 30, 120, 600, 1800, 3600, 7200, 14_400, 14_400, 14_400, 28_800)
"""Before the next try, by the number of tries in a row that failed: a day in all."""
MAX_TRIES: Final = len(PAUSES_S) + 1
GIVE_UP_S: Final = 86_400.0
"""Age of an alert after which a try that fails is the last one."""
KEPT_S: Final = 30 * 86_400.0
KEPT: Final = 20_000
"""Alerts that are kept, and how long."""
_BEHIND: Final = "alerts before this one could not be delivered for a day"


@dataclass(frozen=True)
class Sent:
    """An alert that is to be sent now."""

    delivery: AlertDelivery
    alert: Alert
    receiver: AlertReceiver


def receivers(session: Session, comparison: str | None) -> list[AlertReceiver]:
    """Return the receivers of a comparison, or those of the board, in the order of creation."""
    query = select(AlertReceiver).where(_of(comparison))
    return list(session.exec(query.order_by(col(AlertReceiver.created_at))).all())


def receiver(session: Session, own: str, comparison: str | None) -> AlertReceiver:
    """Return one receiver of a comparison, or of the board.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = session.get(AlertReceiver, own)
    if found is None or found.comparison_id != comparison:
        raise NotFoundError(f"there is no receiver {own!r}")
    return found


def create_receiver(
    write: Write,
    *,
    comparison: str | None,
    name: str,
    url: str,
    wanted: Sequence[str],
    user: str,
    now: float,
) -> AlertReceiver:
    """Store a receiver, with a new secret.

    Raises:
        NotFoundError: no comparison has this id.
        ConflictError: there are too many.
    """
    _check_comparison(write.session, comparison)
    if len(receivers(write.session, comparison)) >= MAX_RECEIVERS:
        raise ConflictError(f"there are {MAX_RECEIVERS} receivers, which is the most; delete one")
    made = AlertReceiver(
        id=f"w{secrets.token_hex(5)}",
        comparison_id=comparison,
        name=name,
        url=url,
        secret=create_secret(),
        events=list(wanted),
        created_at=now,
        created_by=user,
    )
    write.session.add(made)
    write.session.flush()
    return made


def delete_receiver(write: Write, own: str, comparison: str | None) -> None:
    """Delete a receiver and its deliveries.

    Raises:
        NotFoundError: there is none with this id.
    """
    receiver(write.session, own, comparison)
    write.session.connection().execute(delete(AlertReceiver).where(col(AlertReceiver.id) == own))


def queue_test(write: Write, own: str, comparison: str | None, now: float) -> None:
    """Queue a test for a receiver, and try what waits for it at once.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = receiver(write.session, own, comparison)
    of_comparison = write.session.get(Comparison, comparison) if comparison else None
    key = f"test:{secrets.token_hex(8)}"
    test = outbox.New(key, events.TEST, comparison, events.content_of_test(of_comparison))
    outbox.add(write.session, [test], now, receiver=own)
    _try_now(write, found, now)


def retry(write: Write, delivery: int, now: float) -> AlertDelivery:
    """Queue a delivery that was given up again, or try one that waits at once.

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it has arrived.
    """
    found = write.session.get(AlertDelivery, delivery)
    if found is None:
        raise NotFoundError(f"there is no delivery {delivery}")
    if found.state == "delivered":
        raise ConflictError("this alert has arrived; there is nothing to send again")
    found.state, found.tries, found.queued_at = "pending", 0, now
    write.session.add(found)
    owner = write.session.get(AlertReceiver, found.receiver_id)
    assert owner is not None
    _try_now(write, owner, now)
    return found


def _try_now(write: Write, one: AlertReceiver, now: float) -> None:
    one.failures, one.next_at = 0, now
    write.session.add(one)


@dataclass(frozen=True)
class Due:
    """When there is something to send."""

    receivers: list[str]
    """Those with something to send now."""
    next_at: float | None
    """When the next one has; None if nothing waits."""


def due(session: Session, now: float) -> Due:
    """Return the receivers for which something waits."""
    rows = session.connection().execute(
        columns(col(AlertReceiver.id), col(AlertReceiver.next_at))
        .where(
            columns(col(AlertDelivery.id))
            .where(
                col(AlertDelivery.receiver_id) == col(AlertReceiver.id),
                col(AlertDelivery.state) == "pending",
            )
            .exists()
        )
        .order_by(col(AlertReceiver.next_at))
    )
    waiting = [(str(own), float(at)) for own, at in rows]
    later = [at for _, at in waiting if at > now]
    return Due([own for own, at in waiting if at <= now], min(later, default=None))


def head(session: Session, own: str, now: float) -> Sent | None:
    """Return what a receiver gets next: its oldest alert that waits; None if nothing is due."""
    row = session.exec(
        select(AlertDelivery, Alert, AlertReceiver)
        .join(Alert, col(Alert.id) == col(AlertDelivery.alert_id))
        .join(AlertReceiver, col(AlertReceiver.id) == col(AlertDelivery.receiver_id))
        .where(
            col(AlertDelivery.receiver_id) == own,
            col(AlertDelivery.state) == "pending",
            col(AlertReceiver.next_at) <= now,
        )
        .order_by(col(AlertDelivery.id))
        .limit(1)
    ).first()
    return None if row is None else Sent(*row)


def note_outcome(write: Write, delivery: int, outcome: Outcome, now: float) -> None:
    """Store what became of a try, unless receiver or comparison were deleted meanwhile."""
    session = write.session
    found = session.get(AlertDelivery, delivery)
    owner = session.get(AlertReceiver, found.receiver_id) if found else None
    if found is None or owner is None:
        return
    found.tries += 1
    found.tried_at, found.status, found.problem = now, outcome.status, outcome.problem
    if not outcome.problem:
        found.state = "delivered"
        owner.failures, owner.next_at = 0, 0.0
    else:
        owner.failures += 1
        owner.next_at = now + PAUSES_S[min(owner.failures, len(PAUSES_S)) - 1]
        if found.tries >= MAX_TRIES or now - found.queued_at >= GIVE_UP_S:
            found.state = "given_up"
            _give_up_old(session, owner.id, now)
    session.add(found)
    session.add(owner)


def _give_up_old(session: Session, own: str, now: float) -> None:
    """Give up what has waited behind a delivery that was given up for as long."""
    session.flush()
    session.connection().execute(
        update(AlertDelivery)
        .where(
            col(AlertDelivery.receiver_id) == own,
            col(AlertDelivery.state) == "pending",
            col(AlertDelivery.queued_at) <= now - GIVE_UP_S,
        )
        .values(state="given_up", problem=_BEHIND)
    )


def deliveries(
    session: Session, comparison: str | None, *, page: int, page_size: int
) -> tuple[list[Sent], int]:
    """Return a page of the deliveries to the receivers of a comparison, or of the board, the newest
    first, and the number of all."""
    where = _of(comparison)
    joined = (
        select(AlertDelivery, Alert, AlertReceiver)
        .join(Alert, col(Alert.id) == col(AlertDelivery.alert_id))
        .join(AlertReceiver, col(AlertReceiver.id) == col(AlertDelivery.receiver_id))
        .where(where)
    )
    newest = joined.order_by(col(AlertDelivery.id).desc())
    rows = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()
    counted = (
        columns(func.count())
        .select_from(AlertDelivery)
        .join(AlertReceiver, col(AlertReceiver.id) == col(AlertDelivery.receiver_id))
        .where(where)
    )
    total = session.connection().execute(counted).scalar_one()
    return [Sent(*row) for row in rows], int(total)


def alerts_after(
    session: Session, after: int, *, comparison: str | None, limit: int
) -> tuple[list[Alert], int]:
    """Return the alerts of comparisons after one, the oldest first, and the last id of all.

    Args:
        session: a read transaction.
        after: an id; alerts with larger ones are returned.
        comparison: only its alerts; None for those of all.
        limit: the most that are returned; of more the newest.
    """
    query = select(Alert).where(col(Alert.id) > after, col(Alert.type) != events.TEST)
    if comparison is not None:
        query = query.where(col(Alert.comparison_id) == comparison)
    found = list(session.exec(query.order_by(col(Alert.id).desc()).limit(limit)).all())
    last = session.connection().execute(columns(func.coalesce(func.max(col(Alert.id)), 0)))
    return found[::-1], int(last.scalar_one() or 0)


def delete_old(write: Write, now: float) -> None:
    """Delete alerts that are older than they are kept; what still waits stays."""
    connection = write.session.connection()
    waits = columns(col(AlertDelivery.alert_id)).where(col(AlertDelivery.state) == "pending")
    newest = columns(func.max(col(Alert.id))).scalar_subquery()
    connection.execute(
        delete(Alert).where(
            or_(col(Alert.at) < now - KEPT_S, col(Alert.id) <= newest - KEPT),
            col(Alert.id).not_in(waits),
        )
    )


def _of(comparison: str | None) -> ColumnElement[bool]:
    owner = col(AlertReceiver.comparison_id)
    return owner.is_(None) if comparison is None else owner == comparison


def _check_comparison(session: Session, comparison: str | None) -> None:
    if comparison is not None and session.get(Comparison, comparison) is None:
        raise NotFoundError(f"there is no comparison {comparison!r}")
