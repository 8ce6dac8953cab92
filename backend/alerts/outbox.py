"""Stores alerts in the transaction that they tell of, with a delivery for each receiver.

So an alert exists exactly if what it tells was committed, and none is lost if the process is killed
between the two.
"""

import logging
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, insert, or_
from sqlalchemy import select as columns
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from backend.alerts import events
from backend.db.database import Write
from backend.db.models import Alert, AlertDelivery, AlertReceiver, Comparison, Run
from backend.http.times import CLOCK
from backend.runs import search_progress
from backend.runs.progress import STATES, count_runs

log = logging.getLogger(__name__)
_OPEN = frozenset({"queued", "running"})


class New(NamedTuple):
    """An alert that is to be stored."""

    key: str
    """What it tells, so that it is told once."""
    type: str
    comparison: str | None
    content: events.Content


def store_alerts(write: Write) -> None:
    """Store what people are told of a transaction; the database calls this before each commit.

    A mistake in here must not cost what the transaction is about: it is logged, and all but the
    alerts is committed.

    Raises:
        OperationalError: the database does not take them; then it takes nothing of the transaction.
    """
    if not (write.ended or write.entered or write.settled):
        return
    write.session.flush()
    try:
        with write.session.connection().begin_nested():
            add(write.session, list(_alerts(write)), CLOCK())
    except OperationalError:
        raise
    except Exception:
        log.exception("alerts cannot be stored")


def add(session: Session, alerts: list[New], now: float, *, receiver: str | None = None) -> None:
    """Add those alerts that have not been told yet, with their deliveries.

    Args:
        session: of a write transaction.
        alerts: in the order in which they are sent.
        now: seconds since the epoch.
        receiver: the only receiver; None for all that want them.
    """
    connection = session.connection()
    keys = [one.key for one in alerts]
    told = set(
        connection.execute(columns(col(Alert.key)).where(col(Alert.key).in_(keys))).scalars()
    )
    for one in alerts:
        if one.key in told:
            continue
        told.add(one.key)
        alert = connection.execute(
            insert(Alert)
            .values(
                message=f"msg_{secrets.token_hex(12)}",
                key=one.key,
                comparison_id=one.comparison,
                type=one.type,
                at=now,
                content=one.content,
            )
            .returning(col(Alert.id))
        ).scalar_one()
        wanted = [receiver] if receiver else _receivers(session, one)
        if wanted:
            rows = [
                {
                    "alert_id": alert,
                    "receiver_id": own,
                    "state": "pending",
                    "tries": 0,
                    "queued_at": now,
                    "problem": "",
                }
                for own in wanted
            ]
            connection.execute(insert(AlertDelivery), rows)


def _receivers(session: Session, alert: New) -> list[str]:
    """Return the receivers that want an alert."""
    rows = session.connection().execute(
        columns(col(AlertReceiver.id), col(AlertReceiver.events))
        .where(
            or_(
                col(AlertReceiver.comparison_id).is_(None),
                col(AlertReceiver.comparison_id) == alert.comparison,
            )
        )
        .order_by(col(AlertReceiver.created_at), col(AlertReceiver.id))
    )
    return [own for own, wanted in rows if alert.type in wanted]


def _alerts(write: Write) -> Iterator[New]:
    """Yield what there is to tell, in the order in which it happened."""
    entered = [(run, state) for run, state in write.entered if _is_told(run)]
    failed = [run for run in write.ended.values() if _is_told(run) and run.state == "failed"]
    touched = {run.comparison_id for run in write.ended.values() if _may_end(run)} | write.settled
    named = touched | {run.comparison_id for run, _ in entered} | {r.comparison_id for r in failed}
    found = {own: write.session.get(Comparison, own) for own in sorted(named)}
    comparisons = {own: one for own, one in found.items() if one is not None}
    for run, state in entered:
        comparison = comparisons.get(run.comparison_id)
        if comparison and (told := events.arm_in_state(comparison, run, state)):
            kind, content = told
            yield New(f"{kind}:{comparison.id}:{run.arm}", kind, comparison.id, content)
    for run in failed:
        if comparison := comparisons.get(run.comparison_id):
            kind, content = events.run_ended(comparison, run)
            # What fails one run of an arm often fails all; after a retry it is told again.
            key = f"{kind}:{comparison.id}:{run.arm}:{run.attempt}"
            yield New(key, kind, comparison.id, content)
    for own in sorted(touched):
        if comparison := comparisons.get(own):
            yield from _ended(write.session, comparison)


def _is_told(run: Run) -> bool:
    """Return whether what happens to a run is told: a trial that fails is a result of its search,
    and a search has hundreds."""
    return run.role == "final"


def _may_end(run: Run) -> bool:
    """Return whether a comparison may be over with this run. After a run of a trial something
    follows, unless it was cancelled."""
    return run.role == "final" or run.state == "cancelled"


def _ended(session: Session, comparison: Comparison) -> Iterator[New]:
    """Yield the alert that a comparison is over, if it is. One that went on is told anew."""
    counted = count_runs(session, [comparison.id])[comparison.id]
    state = search_progress.state(counted, search_progress.search_size(comparison.spec))
    if state in _OPEN:
        return
    attempts = session.connection().execute(
        columns(func.count(), func.coalesce(func.sum(col(Run.attempt)), 0)).where(
            col(Run.comparison_id) == comparison.id
        )
    )
    runs, total = attempts.one()
    tallies = (counted.trial, counted.final)
    of_state = {
        one: sum(own[one].runs for own in tallies if one in own) for one in reversed(STATES)
    }
    of_state = {one: of_state[one] for one in STATES if of_state[one]}
    yield New(
        f"comparison.ended:{comparison.id}:{runs}:{total}",
        "comparison.ended",
        comparison.id,
        events.comparison_ended(comparison, state, of_state),
    )
