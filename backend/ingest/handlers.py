"""Apply events to the database, many events in one transaction.

An event is taken if its attempt is the run's current one, the run is running, and its seq is the
next. So an event that is sent twice counts once, an event of an attempt that was given up never
counts, and an event after a gap is left to be sent again.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from math import isfinite

from backend.db.database import Update, Write
from backend.db.models import Run
from backend.metrics import points
from backend.runs import artifacts, snapshots
from backend.runs import repository as runs
from contract import logs
from contract.events import (
    ArtifactKept,
    Checkpointed,
    Ended,
    Event,
    Failure,
    Kept,
    Log,
    Lost,
    Noticed,
    Points,
    Preparing,
    Started,
)

log = logging.getLogger(__name__)


def store_events(write: Write, events: Iterable[Event], now: float) -> Counter[str]:
    """Store events in their order; return the number taken, and dropped by reason."""
    events = list(events)
    known = runs.by_id(write.session, {event.run for event in events})
    touched: dict[str, Run] = {}
    counts: Counter[str] = Counter()
    for event in events:
        run = known.get(event.run)
        verdict = _verdict(run, event)
        counts[verdict] += 1
        if run is not None and verdict == "taken":
            _log_event(run, event)
            _apply(write, run, event, now)
            touched[run.id] = run
        elif isinstance(event, Checkpointed) and _is_unused(run, event, verdict):
            write.unused_blobs.add(event.digest)
    for run in touched.values():
        write.session.add(run)
        write.update_of(run).runs[run.id] = run
    _insert_points(write)
    return counts


def _is_unused(run: Run | None, event: Checkpointed, verdict: str) -> bool:
    """Return whether no attempt will continue from a checkpoint that arrived too late."""
    if verdict not in {"unknown run", "stale"}:
        return False
    return run is None or run.checkpoint != event.digest


def fail_run(write: Write, event: Event, problem: str, now: float) -> bool:
    """Fail the run of an event that no database accepts; return whether the event would have
    counted."""
    run = runs.by_id(write.session, [event.run]).get(event.run)
    if run is None or _verdict(run, event) != "taken":
        return False
    failure = Failure(
        message=f"what the run measured cannot be stored: {problem}",
        cause="The API's log holds the traceback. What was stored before stays.",
        step=run.step,
    )
    runs.end(write, run, state="failed", failure=failure, now=now)
    return True


def _log_event(run: Run, event: Event) -> None:
    fields = logs.attempt_fields(event.run, event.attempt)
    if isinstance(event, Ended):
        log.info("%s", event.state, extra=fields)
    elif isinstance(event, Lost) and run.cancel:
        log.info("cancelled", extra=fields)
    elif isinstance(event, Lost):
        log.warning("lost: %s", event.reason, extra=fields)


def _verdict(run: Run | None, event: Event) -> str:
    if run is None:
        return "unknown run"
    if event.attempt != run.attempt or run.state != "running":
        return "stale"
    if isinstance(event, Lost):
        return "taken"
    if event.seq != run.committed_seq + 1:
        return "gap" if event.seq > run.committed_seq else "duplicate"
    return "taken"


def _apply(write: Write, run: Run, event: Event, now: float) -> None:
    match event:
        case Lost():
            runs.lose_attempt(
                write, run, reason=event.reason, strike=event.strike, cause=event.cause, now=now
            )
            return  # the next attempt counts its messages anew
        case Preparing():
            run.preparing = event.preparation.model_dump()
        case Started():
            run.preparing = None
            run.device = event.device
            run.total_steps = event.total_steps
            run.steps_per_epoch = event.steps_per_epoch
            run.started_at = now
            run.versions = dict(event.versions) or None
            run.splits = dict(event.splits) or None
            run.environment, run.usage = dict(event.environment) or None, None
            runs.begin_attempt(write, run, event.after)
        case Points():
            run.step = max(run.step, event.step)
            _collect_points(write.update_of(run), event)
        case Noticed():
            if not event.over:
                write.entered.append((run, event.state))
            _set_state(run, event)
        case Kept():
            snapshots.put(write, run.id, event.snapshot)
        case Checkpointed():
            runs.save_checkpoint(write, run, step=event.step, digest=event.digest)
        case ArtifactKept():
            artifacts.put(write, run, event.artifact)
        case Log():
            runs.add_log(write, run, event.lines)
        case Ended():
            run.usage = event.usage.model_dump() if event.usage else None
            runs.end(write, run, state=event.state, failure=event.failure, now=now)
    run.committed_seq = event.seq


def _set_state(run: Run, event: Noticed) -> None:
    others = [one for one in run.states if one["state"] != event.state]
    own = [] if event.over else [event.model_dump(include={"state", "step", "message"})]
    run.states = [*others, *own]  # a new list: changes within one are not noticed


def _collect_points(update: Update, event: Points) -> None:
    for column in event.series:
        steps, values = update.points.setdefault((event.run, column.key), ([], []))
        steps += column.steps
        values += [x if x is not None and isfinite(x) else None for x in column.values]


def _insert_points(write: Write) -> None:
    columns = {
        name: column for update in write.updates.values() for name, column in update.points.items()
    }
    if columns:
        ids = points.ensure_series(write.session, columns)
        points.insert(write.session, {ids[name]: column for name, column in columns.items()})
