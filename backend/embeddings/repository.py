"""Projections in the database: viewers request them, projectors compute them.

queued -> running (claimed) -> ready | failed; queued or running -> cancelled. A running projection
whose projector is silent may be claimed again. A failed one is queued again if it is requested
after RETRY_AFTER_S, a cancelled one only by `restart`. When newer snapshots exist, a new projection
replaces the earlier one.

Projections stand in line by lane: those by PCA are computed at once, beside those by other methods.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from sqlmodel import Session, and_, col, delete, or_, select

from backend.db.database import Write
from backend.db.models import Comparison, Projection
from backend.runs import snapshots

LOST_AFTER_S: Final = 30.0
"""A projector that has been silent this long has lost its projection."""
QUICK: Final = "pca"
"""The method with a lane of its own."""
RETRY_AFTER_S: Final = 30.0
"""A failed projection may be tried again after this time."""

Inputs = list[dict[str, Any]]
"""[{"arm", "epochs": [{"epoch", "embeddings"}]}], the same epochs for every arm; `embeddings` is a
digest."""


def projection_inputs(session: Session, comparison: Comparison, seed: int) -> Inputs:
    """Return what a projection of one seed is computed from.

    The arms that have snapshots of the seed, in the spec's order, with the epochs that all of them
    have; empty if there are none.
    """
    by_arm: dict[str, dict[int, str]] = {}
    for row in snapshots.of_comparison(session, comparison.id, seed):
        by_arm.setdefault(row.arm, {})[row.epoch] = row.embeddings
    arms = [arm["name"] for arm in comparison.spec["arms"] if arm["name"] in by_arm]
    if not arms:
        return []
    shared = sorted(set.intersection(*(set(by_arm[arm]) for arm in arms)))
    return [
        {
            "arm": arm,
            "epochs": [{"epoch": epoch, "embeddings": by_arm[arm][epoch]} for epoch in shared],
        }
        for arm in arms
        if shared
    ]


def projection_id(comparison: str, method: str, dims: int, seed: int, inputs: Inputs) -> str:
    """Return the id of a projection, which its query and its inputs determine."""
    content = json.dumps([comparison, method, dims, seed, inputs], sort_keys=True)
    return f"p{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def find(session: Session, projection: str) -> Projection | None:
    """Return one projection; None if none has this id."""
    return session.get(Projection, projection)


def find_earlier(session: Session, asked: Projection) -> Projection | None:
    """Return the newest ready projection of the same query from earlier snapshots."""
    return session.exec(
        select(Projection)
        .where(*_same_query(asked), col(Projection.state) == "ready")
        .order_by(col(Projection.created_at).desc())
        .limit(1)
    ).first()


def must_queue(projection: Projection | None, now: float) -> bool:
    """Return whether a requested projection must be queued: it is missing, or failed long ago."""
    if projection is None:
        return True
    failed_at = projection.heard_at or projection.created_at
    return projection.state == "failed" and failed_at <= now - RETRY_AFTER_S


def queue(write: Write, asked: Projection, now: float) -> Projection:
    """Queue a new or failed projection.

    A new one takes the place in the queue of those of the same query from earlier snapshots.
    """
    session = write.session
    found = session.get(Projection, asked.id)
    if found is None:
        earlier = session.exec(
            select(Projection).where(
                *_same_query(asked), col(Projection.state).in_(("queued", "cancelled"))
            )
        ).all()
        waiting = [row.created_at for row in earlier if row.state == "queued"]
        asked.created_at = min([now, *waiting])
        for row in earlier:
            session.delete(row)
        session.add(asked)
        found = asked
    elif must_queue(found, now):
        _queue_again(write, found, now)
    session.flush()
    return found


def restart(write: Write, projection: Projection, now: float) -> None:
    """Queue a cancelled or failed projection again, behind all others; leave others as they are."""
    if projection.state in {"cancelled", "failed"}:
        _queue_again(write, projection, now)
        write.session.flush()


def cancel(write: Write, projection: Projection, now: float) -> None:
    """Cancel a projection that waits or is computed; leave others as they are.

    Its projector learns of it with its next report.
    """
    if projection.state in {"queued", "running"}:
        projection.state, projection.heard_at = "cancelled", now
        write.session.add(projection)


def _queue_again(write: Write, found: Projection, now: float) -> None:
    found.state, found.error, found.created_at = "queued", None, now
    found.progress, found.heard_at, found.started_at = 0.0, None, None
    write.session.add(found)


def any_claimable(session: Session, now: float, methods: Sequence[str] | None = None) -> bool:
    """Return whether a projection by one of these methods can be claimed; None for all methods."""
    waiting = select(Projection.id).where(*_claimable(now, methods)).limit(1)
    return session.exec(waiting).first() is not None


def claim(write: Write, now: float, methods: Sequence[str] | None = None) -> Projection | None:
    """Give the projection that waits longest to a projector; return None if none waits.

    Args:
        write: to write with.
        now: the time.
        methods: that the projector computes; None for all. PCA then comes before the others,
            because it takes no time.
    """
    found = write.session.exec(
        select(Projection)
        .where(*_claimable(now, methods))
        .order_by((col(Projection.method) != "pca"), col(Projection.created_at), col(Projection.id))
        .limit(1)
    ).first()
    if found:
        found.state, found.progress = "running", 0.0
        found.started_at = found.heard_at = now
        write.session.add(found)
    return found


def note_progress(write: Write, projection: str, share: float, now: float) -> bool:
    """Note how far a projector is; return whether its projection is still wanted."""
    found = write.session.get(Projection, projection)
    if found is None or found.state != "running":
        return False
    found.progress, found.heard_at = share, now
    write.session.add(found)
    return True


def fail(write: Write, projection: Projection, error: str, now: float) -> None:
    """Note that a projection cannot be computed."""
    projection.state, projection.error, projection.heard_at = "failed", error, now
    write.session.add(projection)


def finish(write: Write, projection: Projection, digest: str, now: float) -> list[str]:
    """Note that a projection is ready; delete those of the same query from earlier snapshots.

    Returns:
        The blobs of the deleted projections' coordinates.
    """
    projection.state, projection.progress, projection.error = "ready", 1.0, None
    projection.coordinates, projection.heard_at = digest, now
    write.session.add(projection)
    older = (*_same_query(projection), col(Projection.created_at) < projection.created_at)
    deleted = write.session.exec(select(Projection.coordinates).where(*older)).all()
    write.session.exec(delete(Projection).where(*older))
    return [blob for blob in deleted if blob]


def eta_s(projection: Projection, now: float) -> float | None:
    """Return the seconds until a projection is ready, at its pace so far; None if unknown."""
    if projection.state != "running" or not projection.started_at or projection.progress <= 0:
        return None
    spent = now - projection.started_at
    return max(0.0, spent * (1 - projection.progress) / projection.progress)


def _same_query(asked: Projection) -> tuple[Any, ...]:
    """Return the conditions for projections of the same query from other snapshots."""
    return (
        col(Projection.comparison_id) == asked.comparison_id,
        col(Projection.seed) == asked.seed,
        col(Projection.method) == asked.method,
        col(Projection.dims) == asked.dims,
        col(Projection.id) != asked.id,
    )


def _claimable(now: float, methods: Sequence[str] | None) -> tuple[Any, ...]:
    silent = and_(col(Projection.state) == "running", col(Projection.heard_at) < now - LOST_AFTER_S)
    waits = or_(col(Projection.state) == "queued", silent)
    return (waits,) if methods is None else (waits, col(Projection.method).in_(methods))
