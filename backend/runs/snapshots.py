"""Snapshots: which runs have which, and which blobs they need."""

from collections import Counter
from typing import Final, NamedTuple

from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, select

from backend.db.database import Write
from backend.db.models import Projection, Run, Snapshot
from contract.events import Snapshot as Kept

_BLOBS: Final = {
    "embeddings": col(Snapshot.embeddings),
    "facts": col(Snapshot.facts),
    "samples": col(Snapshot.samples),
    "sprite": col(Snapshot.sprite),
    "sounds": col(Snapshot.sounds),
}


class Shown(NamedTuple):
    """A snapshot with the arm and the seed of its run."""

    run: str
    arm: str
    seed: int
    epoch: int
    embeddings: str
    facts: str
    samples: str
    sprite: str | None
    sounds: str | None


def put(write: Write, run: str, kept: Kept) -> None:
    """Store a snapshot; the same epoch once more replaces it."""
    write.session.merge(Snapshot(run_id=run, **kept.model_dump()))


def forget(session: Session, run: str, after: int) -> None:
    """Delete a run's snapshots beyond a step; -1 forgets all of them."""
    session.exec(delete(Snapshot).where(col(Snapshot.run_id) == run, col(Snapshot.step) > after))


def of(session: Session, comparison: str, seed: int | None = None) -> list[Shown]:
    """A comparison's snapshots that show the same samples, by run in their order, then by epoch.

    Should some show others, for a worker of another version drew them, those of the larger part
    are given: points of different samples must not be compared.
    """
    run = (col(Run.id), col(Run.arm), col(Run.seed), col(Snapshot.epoch))
    rows = session.connection().execute(
        columns(*run, *_BLOBS.values())
        .join(Run, col(Run.id) == col(Snapshot.run_id))
        .where(col(Run.comparison_id) == comparison)
        .order_by(col(Run.position), col(Snapshot.epoch))
    )
    found = [Shown._make(row) for row in rows]
    if not found:
        return []
    [(samples, _)] = Counter(row.samples for row in found).most_common(1)
    return [row for row in found if row.samples == samples and seed in (None, row.seed)]


def blobs(session: Session, comparison: str) -> dict[str, str]:
    """The blobs of a comparison: digest -> embeddings, facts, samples, sprite, sounds,
    coordinates, or checkpoint."""
    rows = session.connection().execute(
        columns(*_BLOBS.values())
        .join(Run, col(Run.id) == col(Snapshot.run_id))
        .where(col(Run.comparison_id) == comparison)
    )
    found = {digest: what for row in rows for digest, what in zip(row, _BLOBS, strict=True)}
    made = select(Projection.coordinates).where(Projection.comparison_id == comparison)
    found |= dict.fromkeys(session.exec(made).all(), "coordinates")
    states = select(Run.checkpoint).where(Run.comparison_id == comparison)
    found |= {digest: "checkpoint" for digest in session.exec(states).all() if digest}
    return {digest: what for digest, what in found.items() if digest}


def used_digests(session: Session, *, besides: str = "") -> set[str]:
    """All blobs that a row names; one comparison's own rows may be left out."""
    rows = session.connection().execute(
        columns(*_BLOBS.values())
        .join(Run, col(Run.id) == col(Snapshot.run_id))
        .where(col(Run.comparison_id) != besides)
    )
    found = {digest for row in rows for digest in row}
    made = select(Projection.coordinates).where(Projection.comparison_id != besides)
    states = select(Run.checkpoint).where(
        col(Run.checkpoint).is_not(None), col(Run.comparison_id) != besides
    )
    found |= {*session.exec(made).all(), *session.exec(states).all()}
    return {digest for digest in found if digest}
