"""Projections: asked for by viewers, made by projectors, replaced when more is to be shown.

queued -> running (claimed) -> ready | failed; a running one that is silent may be claimed again,
and a failed one is queued again when it is asked for after a while.
"""

import hashlib
import json
from typing import Any, Final

from sqlmodel import Session, and_, col, delete, or_, select

from backend.db.database import Write
from backend.db.models import Comparison, Projection
from backend.runs import snapshots

SILENT_S: Final = 30.0
"""A projector that says nothing for so long has lost its projection."""
AGAIN_S: Final = 30.0
"""A failed projection may be tried again so long after it failed."""

Inputs = list[dict[str, Any]]
"""[{"arm", "epochs": [{"epoch", "embeddings"}]}], every arm with the same epochs."""


def inputs(session: Session, comparison: Comparison, seed: int) -> Inputs:
    """What there is to project: the arms that have snapshots of the seed, in the spec's order, with
    the epochs that all of them share; empty where there is nothing."""
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


def id_of(comparison: str, method: str, dims: int, seed: int, wanted: Inputs) -> str:
    """The id of a question's answer."""
    asked = json.dumps([comparison, method, dims, seed, wanted], sort_keys=True)
    return f"p{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def find(session: Session, projection: str) -> Projection | None:
    """One projection, if there is one of that id."""
    return session.get(Projection, projection)


def earlier(session: Session, asked: Projection) -> Projection | None:
    """The newest ready answer to the same question of earlier snapshots."""
    return session.exec(
        select(Projection)
        .where(*_same_question(asked), col(Projection.state) == "ready")
        .order_by(col(Projection.created_at).desc())
        .limit(1)
    ).first()


def due(projection: Projection | None, now: float) -> bool:
    """Whether asking for it has to queue it."""
    if projection is None:
        return True
    failed_at = projection.heard_at or projection.created_at
    return projection.state == "failed" and failed_at <= now - AGAIN_S


def queue(write: Write, asked: Projection, now: float) -> Projection:
    """Queue a projection, new or failed; it takes the place of one that waits for the same
    question of earlier snapshots."""
    session = write.session
    found = session.get(Projection, asked.id)
    if found is None:
        waiting = session.exec(
            select(Projection).where(*_same_question(asked), col(Projection.state) == "queued")
        ).all()
        asked.created_at = min([now, *(row.created_at for row in waiting)])
        for row in waiting:
            session.delete(row)
        session.add(asked)
        found = asked
    elif due(found, now):
        found.state, found.error, found.created_at = "queued", None, now
        found.progress, found.heard_at, found.started_at = 0.0, None, None
        session.add(found)
    session.flush()
    return found


def any_claimable(session: Session, now: float) -> bool:
    """Whether there is something to do."""
    return session.exec(select(Projection.id).where(_claimable(now)).limit(1)).first() is not None


def claim(write: Write, now: float) -> Projection | None:
    """Give out what waits longest, PCA before all others, for it takes no time; None if nothing
    waits."""
    found = write.session.exec(
        select(Projection)
        .where(_claimable(now))
        .order_by((col(Projection.method) != "pca"), col(Projection.created_at), col(Projection.id))
        .limit(1)
    ).first()
    if found:
        found.state, found.progress = "running", 0.0
        found.started_at = found.heard_at = now
        write.session.add(found)
    return found


def hear(write: Write, projection: str, share: float, now: float) -> bool:
    """A projector says how far it is; whether its work is still wanted."""
    found = write.session.get(Projection, projection)
    if found is None or found.state != "running":
        return False
    found.progress, found.heard_at = share, now
    write.session.add(found)
    return True


def fail(write: Write, projection: Projection, error: str, now: float) -> None:
    """It cannot be made."""
    projection.state, projection.error, projection.heard_at = "failed", error, now
    write.session.add(projection)


def finish(write: Write, projection: Projection, digest: str, now: float) -> list[str]:
    """It is ready; what earlier snapshots had to say to the same question goes.

    Returns:
        Blobs of the coordinates that went.
    """
    projection.state, projection.progress, projection.error = "ready", 1.0, None
    projection.coordinates, projection.heard_at = digest, now
    write.session.add(projection)
    older = (*_same_question(projection), col(Projection.created_at) < projection.created_at)
    gone = write.session.exec(select(Projection.coordinates).where(*older)).all()
    write.session.exec(delete(Projection).where(*older))
    return [blob for blob in gone if blob]


def eta_s(projection: Projection, now: float) -> float | None:
    """Seconds until it is ready, at its pace so far; None where nobody can know."""
    if projection.state != "running" or not projection.started_at or projection.progress <= 0:
        return None
    spent = now - projection.started_at
    return max(0.0, spent * (1 - projection.progress) / projection.progress)


def _same_question(asked: Projection) -> tuple[Any, ...]:
    """Projections of other snapshots that are else as asked for."""
    return (
        col(Projection.comparison_id) == asked.comparison_id,
        col(Projection.seed) == asked.seed,
        col(Projection.method) == asked.method,
        col(Projection.dims) == asked.dims,
        col(Projection.id) != asked.id,
    )


def _claimable(now: float) -> Any:
    silent = and_(col(Projection.state) == "running", col(Projection.heard_at) < now - SILENT_S)
    return or_(col(Projection.state) == "queued", silent)
