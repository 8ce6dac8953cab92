"""Runs: who may take which, and how each state follows from another.

queued -> running (claimed) -> succeeded | failed | cancelled (its end, from the stream)
running -> queued as the next attempt (its trainer or worker died), or failed at the third time
queued -> cancelled at once; failed | cancelled -> queued again (retry)
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import CursorResult
from sqlmodel import Session, col, func, select, update

from backend.db.database import Write
from backend.db.models import LogLine, Run
from backend.errors import ConflictError, NotFoundError
from backend.metrics.points import delete_after_step
from backend.runs import queue, snapshots
from contract.comparison.training import ANY_DEVICE
from contract.events import Failure

MAX_STRIKES: Final = 3
"""Trainers of a run that may die in a row until it counts as failed."""


def get(session: Session, run: str) -> Run:
    """One run.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = session.get(Run, run)
    if found is None:
        raise NotFoundError(f"there is no run {run!r}")
    return found


def of(session: Session, comparison: str) -> list[Run]:
    """A comparison's runs in their order."""
    rows = session.exec(
        select(Run).where(Run.comparison_id == comparison).order_by(col(Run.position))
    )
    return list(rows.all())


def by_id(session: Session, runs: Iterable[str]) -> dict[str, Run]:
    """Those of these runs that there are."""
    rows = session.exec(select(Run).where(col(Run.id).in_(list(runs)))).all()
    return {run.id: run for run in rows}


def in_state(session: Session, state: str) -> list[Run]:
    """All runs in one state."""
    return list(session.exec(select(Run).where(Run.state == state)).all())


def queued(session: Session, device: str | None = None) -> int:
    """How many runs wait; with a device class those that a slot of it may take."""
    waits = select(func.count()).select_from(Run).where(Run.state == "queued")
    if device is not None:
        waits = waits.where(col(Run.wants).in_((ANY_DEVICE, device)))
    return session.exec(waits).one()


def claim(write: Write, *, worker: str, device: str, now: float) -> Run | None:
    """Give the next queued run to a worker, by backend.runs.fair_share; None if none waits for it.

    The new attempt's predecessor is forgotten beyond the step it starts after, in the same
    transaction; without a checkpoint that is all of it, the untrained network's values included,
    for the attempt measures them again.
    """
    session = write.session
    run = queue.next_run(session, device)
    if run is None:
        return None
    taken = session.connection().execute(
        update(Run)
        .where(col(Run.id) == run.id, col(Run.state) == "queued", col(Run.attempt) == run.attempt)
        .values(state="running", worker=worker, device=device, started_at=now, committed_seq=0)
    )
    assert isinstance(taken, CursorResult)
    if not taken.rowcount:
        return None  # only where several processes write: somebody else was faster
    queue.take_turn(write, run.created_by)
    session.refresh(run)
    if run.attempt > 1:
        _forget_beyond(write, run)
    run.resumed_at = run.start_after
    write.session.add(run)
    write.updates[run.comparison_id].runs[run.id] = run
    return run


def begin(write: Write, run: Run, after: int) -> None:
    """A claimed attempt takes its first step, from its checkpoint or, where that was of no use,
    from the beginning; then all that was measured before is forgotten."""
    if after != run.start_after:
        run.start_after = 0
        _name(write, run, None)
        _forget_beyond(write, run)
    run.resumed_at = run.start_after


def checkpoint(write: Write, run: Run, *, step: int, digest: str) -> None:
    """A lost attempt goes on from here; the checkpoint before is of no use any more."""
    run.start_after = step
    run.strikes = 0
    _name(write, run, digest)


def forget_checkpoint(write: Write, run: Run) -> None:
    """The next attempt, if there is one, starts at the beginning."""
    run.start_after = 0
    _name(write, run, None)
    write.session.add(run)


def end(write: Write, run: Run, *, state: str, failure: Failure | None, now: float) -> None:
    """A run is over. Only one that may be tried again keeps its checkpoint."""
    if state == "succeeded":
        _name(write, run, None)
    run.state = state
    run.error = failure.model_dump() if failure else None
    run.ended_at = now
    run.preparing = None
    run.cancel = False
    _changed(write, run)


def lose(write: Write, run: Run, *, reason: str, strike: bool, now: float) -> None:
    """A running attempt died without an end: queue the next one, or give up."""
    run.strikes += strike
    if run.cancel:
        end(write, run, state="cancelled", failure=None, now=now)
    elif run.strikes >= MAX_STRIKES:
        failure = Failure(
            message=f"{MAX_STRIKES} attempts in a row died; the last: {reason}",
            cause="Often too little memory: try a smaller batch or encoder; the log may say more.",
            step=run.step,
        )
        end(write, run, state="failed", failure=failure, now=now)
    else:
        _queue_again(write, run)


def cancel(write: Write, run: Run, *, now: float) -> None:
    """Queued: cancelled at once. Running: asked to stop. Over: nothing to do."""
    if run.state == "queued":
        end(write, run, state="cancelled", failure=None, now=now)
    elif run.state == "running" and not run.cancel:
        run.cancel = True
        _changed(write, run)


def retry(write: Write, run: Run) -> None:
    """Queue a failed or cancelled run again.

    Raises:
        ConflictError: it is in another state.
    """
    if run.state not in {"failed", "cancelled"}:
        raise ConflictError(f"run {run.id} is {run.state}; only failed or cancelled ones go again")
    run.strikes = 0
    _queue_again(write, run)


def add_log(write: Write, run: Run, lines: Iterable[str]) -> None:
    """Append to a run's log."""
    write.session.add_all(LogLine(run_id=run.id, attempt=run.attempt, text=line) for line in lines)


def log_lines(session: Session, run: str, most: int = 10_000) -> list[str]:
    """A run's log, the newest lines of all its attempts."""
    rows = session.exec(
        select(LogLine.text)
        .where(LogLine.run_id == run)
        .order_by(col(LogLine.id).desc())
        .limit(most)
    ).all()
    return list(reversed(rows))


def _queue_again(write: Write, run: Run) -> None:
    run.state = "queued"
    run.attempt += 1
    run.committed_seq = 0
    run.cancel = False
    run.worker = None
    run.started_at = run.ended_at = None
    run.preparing = None
    run.error = None
    _changed(write, run)


def _name(write: Write, run: Run, digest: str | None) -> None:
    """Name another checkpoint, or none."""
    if run.checkpoint is not None and run.checkpoint != digest:
        write.unneeded.add(run.checkpoint)
    run.checkpoint = digest


def _forget_beyond(write: Write, run: Run) -> None:
    """Forget what was measured after the step that the run goes on from; from the beginning, that
    is all of it."""
    keep = run.start_after or -1
    delete_after_step(write.session, run.id, keep)
    snapshots.forget(write.session, run.id, keep)
    run.step = run.start_after
    write.session.add(run)
    write.updates[run.comparison_id].drops[run.id] = keep


def _changed(write: Write, run: Run) -> None:
    write.session.add(run)
    write.updates[run.comparison_id].runs[run.id] = run
