"""Runs in the database: how they are claimed, and how one state follows from another.

queued -> running (claimed) -> succeeded | failed | cancelled (its end, from the event stream)
running -> queued as the next attempt (its trainer or worker died), or failed at the third time
queued -> cancelled at once; failed | cancelled -> queued again (retry)
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal

from sqlalchemy import CursorResult
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, and_, col, exists, func, or_, select, update

from backend.db.database import Write
from backend.db.models import Comparison, LogLine, Run, Trial
from backend.errors import ConflictError, NotFoundError
from backend.metrics import points
from backend.plugins.repository import NO_PLUGIN, digest_for
from backend.runs import artifacts, queue, snapshots
from contract.comparison.training import ANY_DEVICE
from contract.events import Failure

Role = Literal["final", "trial"]
RoleAsked = Literal["final", "trial", "all"]
MAX_STRIKES: Final = 3
"""A run fails when this many of its trainers in a row have died."""
USUAL_CAUSE: Final = (
    "Often too little memory: try a smaller batch or encoder; the log may say more."
)


def get(session: Session, run: str) -> Run:
    """Return one run.

    Raises:
        NotFoundError: no run has this id.
    """
    found = session.get(Run, run)
    if found is None:
        raise NotFoundError(f"there is no run {run!r}")
    return found


def of_comparison(session: Session, comparison: str, role: RoleAsked = "final") -> list[Run]:
    """Return a comparison's runs in the order of their positions.

    Final ones, unless others are asked for: only they have seen the test split, and only they are
    compared.
    """
    query = select(Run).where(Run.comparison_id == comparison).order_by(col(Run.position))
    if role != "all":
        query = query.where(Run.role == role)
    return list(session.exec(query).all())


def by_id(session: Session, runs: Iterable[str]) -> dict[str, Run]:
    """Return those of these runs that exist, by id."""
    rows = session.exec(select(Run).where(col(Run.id).in_(list(runs)))).all()
    return {run.id: run for run in rows}


def in_state(session: Session, state: str) -> list[Run]:
    """Return all runs in one state."""
    return list(session.exec(select(Run).where(Run.state == state)).all())


def count_queued(
    session: Session, device: str | None = None, digests: Collection[str] | None = None
) -> int:
    """Return how many runs are queued; with a device class, only those that its slots may take; and
    with the digests of plug-ins, of those with a plug-in only those with one of them."""
    query = select(func.count()).select_from(Run).where(Run.state == "queued")
    if device is not None:
        query = query.where(col(Run.wants).in_((ANY_DEVICE, device)))
    if digests is not None:
        query = query.where(col(Run.loss_digest).in_((NO_PLUGIN, *digests)))
    return session.exec(query).one()


def claim(
    write: Write, *, worker: str, device: str, now: float, digests: Collection[str] = ()
) -> Run | None:
    """Give the next queued run to a worker; return None if no run waits for this device class, and
    for the plug-ins that the worker has.

    backend.runs.fair_share says which run is next. What the previous attempt measured beyond the
    step that the new attempt starts after is deleted in the same transaction. Without a checkpoint
    that is everything, also the values of the untrained network, as the attempt measures them
    again.
    """
    session = write.session
    run = queue.next_run(session, device, digests)
    if run is None:
        return None
    taken = session.connection().execute(
        update(Run)
        .where(col(Run.id) == run.id, col(Run.state) == "queued", col(Run.attempt) == run.attempt)
        .values(
            state="running",
            worker=worker,
            device=device,
            started_at=now,
            committed_seq=0,
            shared=None,
        )
    )
    assert isinstance(taken, CursorResult)
    if not taken.rowcount:
        return None  # only where several processes write: another one was faster
    queue.take_turn(write, run.created_by)
    session.refresh(run)
    _begin_claimed(write, run)
    return run


def claim_with(write: Write, first: Run, others: Collection[Run], *, now: float) -> list[Run]:
    """Give queued runs that start after the same step to the worker that has just claimed another
    one, to be trained together with it; return all that it has now, the first one first.

    They take no turn of their own, as they need no slot of their own.
    """
    session = write.session
    taken = session.connection().execute(
        update(Run)
        .where(
            col(Run.id).in_([run.id for run in others]),
            col(Run.state) == "queued",
            col(Run.strikes) == 0,
        )
        .values(
            state="running",
            worker=first.worker,
            device=first.device,
            started_at=now,
            committed_seq=0,
        )
        .returning(col(Run.id))
    )
    ids = set(taken.scalars())
    together = [first]
    for run in others:
        if run.id in ids:
            session.refresh(run)
            _begin_claimed(write, run)
            together.append(run)
    for run in together:
        run.shared = len(together) if len(together) > 1 else None
        _note_change(write, run)
    return together


def begin_attempt(write: Write, run: Run, after: int) -> None:
    """Note that a claimed attempt begins after a step: that of its checkpoint, or 0.

    It is 0 also if the checkpoint could not be used; then everything measured before is deleted.
    The attempt tells next which states it is in: an earlier one may have seen one begin or end
    after the checkpoint.
    """
    run.states = []
    if after != run.start_after:
        run.start_after = 0
        _set_checkpoint(write, run, None)
        _delete_after_start(write, run)
    run.resumed_at = run.start_after


def save_checkpoint(write: Write, run: Run, *, step: int, digest: str) -> None:
    """Note a checkpoint, from which the next attempt will continue; it replaces the one before."""
    run.start_after = step
    run.strikes = 0
    _set_checkpoint(write, run, digest)


def drop_checkpoint(write: Write, run: Run) -> None:
    """Forget the checkpoint, so that a next attempt starts at the beginning."""
    run.start_after = 0
    _set_checkpoint(write, run, None)
    write.session.add(run)


def end(write: Write, run: Run, *, state: str, failure: Failure | None, now: float) -> None:
    """End a run in a final state. A run that may be retried keeps its checkpoint."""
    _end(write, run, state=state, failure=failure, now=now)
    if state == "cancelled" and run.role == "trial":
        _set_trial_state(write, col(Trial.id) == run.trial_id, "cancelled")


def _end(write: Write, run: Run, *, state: str, failure: Failure | None, now: float) -> None:
    if state == "succeeded":
        _set_checkpoint(write, run, None)
    was_running = run.state == "running"
    run.state = state
    run.error = failure.model_dump() if failure else None
    run.ended_at = now if run.started_at is None else max(now, run.started_at)
    run.preparing = None
    run.cancel = False
    write.ended[run.id] = run
    _note_change(write, run)
    if was_running:  # what waits has kept nothing
        artifacts.settle(write, run)


def lose_attempt(
    write: Write, run: Run, *, reason: str, strike: bool, now: float, cause: str = ""
) -> None:
    """Note that a running attempt died without an end: queue the next attempt, or give up.

    Args:
        write: the transaction.
        run: the running run.
        reason: why the attempt died, for people.
        strike: whether this counts towards MAX_STRIKES.
        now: seconds since the epoch.
        cause: likely cause and what to do, for people; empty for the usual one.
    """
    run.strikes += strike
    if strike and not run.cancel:
        add_log(write, run, f"attempt {run.attempt} was lost: {reason}".splitlines())
    if run.cancel:
        end(write, run, state="cancelled", failure=None, now=now)
    elif run.strikes >= MAX_STRIKES:
        failure = Failure(
            message=f"{MAX_STRIKES} attempts in a row died; the last: {reason}",
            cause=cause or USUAL_CAUSE,
            step=run.step,
        )
        end(write, run, state="failed", failure=failure, now=now)
    else:
        artifacts.delete_of(write.session, run.id)
        _queue_again(write, run)


def cancel(write: Write, run: Run, *, now: float) -> None:
    """Cancel a queued run at once, ask a running run to stop; a run that is over stays as it is."""
    if run.state == "queued":
        end(write, run, state="cancelled", failure=None, now=now)
    elif run.state == "running" and not run.cancel:
        run.cancel = True
        _note_change(write, run)


def cancel_all(write: Write, comparison: str, *, now: float) -> None:
    """Cancel all runs of a comparison, and its search.

    The trials that do not count yet are cancelled with their runs, also those whose runs succeed
    before they learn of it or have just ended: otherwise the next round, or the final runs, would
    follow.
    """
    for run in of_comparison(write.session, comparison, "all"):
        if run.state == "queued":
            _end(write, run, state="cancelled", failure=None, now=now)
        else:
            cancel(write, run, now=now)
    of_search = (col(Trial.comparison_id) == comparison, col(Trial.state) == "waiting")
    _set_trial_state(write, and_(*of_search), "cancelled")


def retry(write: Write, run: Run) -> None:
    """Queue a failed or cancelled run again.

    Raises:
        ConflictError: the run is in another state.
    """
    if run.state not in {"failed", "cancelled"}:
        raise ConflictError(f"run {run.id} is {run.state}; only failed or cancelled ones go again")
    if run.role == "trial" and has_finals(write.session, run.comparison_id):
        raise ConflictError(
            f"run {run.id} is one of a trial, and the final runs exist: its search is over"
        )
    _retry(write, run)
    if run.role == "trial":
        write.session.flush()
        cancelled = _has_run(col(Run.state) == "cancelled")  # it needs them again too
        _set_trial_state(write, and_(col(Trial.id) == run.trial_id, ~cancelled), "waiting")


def retry_all(write: Write, comparison: str) -> None:
    """Queue all failed and cancelled runs of a comparison again, and go on with its search; runs of
    trials only while its final runs do not exist."""
    runs = of_comparison(write.session, comparison, "all")
    is_over = any(run.role == "final" for run in runs)
    for run in runs:
        if run.state in {"failed", "cancelled"} and not (run.role == "trial" and is_over):
            _retry(write, run)
    if not is_over:
        write.session.flush()
        again = or_(col(Trial.state) == "cancelled", _has_run(col(Run.state) == "queued"))
        _set_trial_state(write, and_(col(Trial.comparison_id) == comparison, again), "waiting")


def has_finals(session: Session, comparison: str) -> bool:
    """Return whether a comparison has final runs; one that is tuned gets them after its search."""
    query = select(Run.id).where(Run.comparison_id == comparison, Run.role == "final")
    return session.exec(query.limit(1)).first() is not None


def add_log(write: Write, run: Run, lines: Iterable[str]) -> None:
    """Append lines to a run's log."""
    write.session.add_all(LogLine(run_id=run.id, attempt=run.attempt, text=line) for line in lines)


def log_lines(session: Session, run: str, limit: int = 10_000) -> list[str]:
    """Return the newest lines of a run's log, over all its attempts, oldest first."""
    rows = session.exec(
        select(LogLine.text)
        .where(LogLine.run_id == run)
        .order_by(col(LogLine.id).desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))


def _begin_claimed(write: Write, run: Run) -> None:
    """Delete what earlier attempts measured beyond the step that a claimed run starts after."""
    if run.attempt > 1:
        _delete_after_start(write, run)
    run.resumed_at = run.start_after
    _note_change(write, run)


def _retry(write: Write, run: Run) -> None:
    _take_current_plugin(write, run)
    run.strikes = 0
    _queue_again(write, run)


def _take_current_plugin(write: Write, run: Run) -> None:
    """Have a run whose loss is a plug-in use the code that workers have now; it begins anew if that
    is another."""
    if run.loss_digest == NO_PLUGIN:
        return
    spec = write.session.get_one(Comparison, run.comparison_id).spec
    digest = next(
        digest_for(write.session, arm["loss"]) for arm in spec["arms"] if arm["name"] == run.arm
    )
    if digest != run.loss_digest:
        run.loss_digest = digest
        drop_checkpoint(write, run)


def _set_trial_state(write: Write, where: ColumnElement[bool], state: str) -> None:
    """Set the state of trials that do not count, or do not count any more."""
    changed = update(Trial).where(where).values(state=state, ended_at=None)
    write.session.connection().execute(changed)


def _has_run(where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a trial has such a run."""
    return exists().where(col(Run.trial_id) == Trial.id, col(Run.role) == "trial", where)


def _queue_again(write: Write, run: Run) -> None:
    run.state = "queued"
    run.attempt += 1
    run.shared = None
    run.committed_seq = 0
    run.cancel = False
    run.worker = None
    run.started_at = run.ended_at = None
    run.preparing = None
    run.error = None
    _note_change(write, run)


def _set_checkpoint(write: Write, run: Run, digest: str | None) -> None:
    """Replace the run's checkpoint, or remove it."""
    if run.checkpoint is not None and run.checkpoint != digest:
        write.unused_blobs.add(run.checkpoint)
    run.checkpoint = digest


def _delete_after_start(write: Write, run: Run) -> None:
    """Delete what was measured after the step that the run continues from: all if that is 0."""
    after = run.start_after or -1
    points.delete_after_step(write.session, run.id, after)
    snapshots.delete_after_step(write.session, run.id, after)
    run.step = run.start_after
    run.states = [state for state in run.states if state["step"] <= after]
    write.session.add(run)
    write.update_of(run).drops[run.id] = after


def _note_change(write: Write, run: Run) -> None:
    write.session.add(run)
    write.update_of(run).runs[run.id] = run
