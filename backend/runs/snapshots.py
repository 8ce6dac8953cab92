"""Snapshots: which runs have which, and which blobs they need.

Which blobs nobody needs any more, and how they go.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, func, select

from backend.db.database import Database, Write
from backend.db.models import Projection, Run, Snapshot
from backend.storage.blobs import YOUNG_S, Blobs
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


LAG_S: Final = 60.0
"""A run may have put its first blob so long before its start was stored."""


def under_way_since(session: Session, now: float) -> float:
    """Since when runs may have put blobs whose message is still on its way: the oldest start among
    those that run, or now. A run sends its messages in order, so it runs until all are stored."""
    started = session.exec(select(func.min(Run.started_at)).where(Run.state == "running")).one()
    return now if started is None else min(now, started - LAG_S)


def drop_unused(database: Database, blobs: Blobs, digests: Mapping[str, str], now: float) -> int:
    """Delete those of these blobs that no row names and no run may be about to name; how many bytes
    that frees. What is spared goes by a later sweep.

    Args:
        database: which names blobs.
        blobs: where they lie.
        digests: with what they are, as `snapshots.blobs` gives them.
        now: what was put since is spared.
    """
    if not digests:
        return 0
    with database.read() as session:
        used = used_digests(session)
        before = under_way_since(session, now)
    unused = {digest: what for digest, what in digests.items() if digest not in used}
    # No run is about to name these: coordinates are of no run, a checkpoint's bytes of one moment.
    made = {digest for digest, what in unused.items() if what in {"coordinates", "checkpoint"}}
    return blobs.drop(made, now) + blobs.drop(unused.keys() - made, before)


def sweep(database: Database, blobs: Blobs, now: float) -> int:
    """Delete all old blobs that no row names; how many bytes that frees."""
    with database.read() as session:
        used = used_digests(session)
        before = min(now - YOUNG_S, under_way_since(session, now))
    return blobs.sweep(used, before)
