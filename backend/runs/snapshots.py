"""Snapshots in the database: which run has which, and which blobs of any kind are used.

Deletes blobs that nothing refers to any more. A blob is stored before the message that names it
arrives, so an unused blob is kept while the message of a running run may still be on its way.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, func, select

from backend.db.database import Database, Write
from backend.db.models import Artifact, Comparison, Projection, Run, Snapshot
from backend.storage.blobs import GRACE_PERIOD_S, Blobs
from contract.events import Snapshot as SnapshotEvent

_BLOBS: Final = {
    "embeddings": col(Snapshot.embeddings),
    "facts": col(Snapshot.facts),
    "samples": col(Snapshot.samples),
    "sprite": col(Snapshot.sprite),
    "sounds": col(Snapshot.sounds),
}


START_LAG_S: Final = 60.0
"""A run may have put its first blob this long before its start was stored."""


class SnapshotRow(NamedTuple):
    """A snapshot with the arm and the seed of its run; the last five fields are digests."""

    run: str
    arm: str
    seed: int
    epoch: int
    embeddings: str
    facts: str
    samples: str
    sprite: str | None
    sounds: str | None


def put(write: Write, run: str, snapshot: SnapshotEvent) -> None:
    """Store a snapshot; it replaces one of the same epoch."""
    write.session.merge(Snapshot(run_id=run, **snapshot.model_dump()))


def delete_after_step(session: Session, run: str, after: int) -> None:
    """Delete a run's snapshots beyond a step; -1 deletes all of them."""
    session.exec(delete(Snapshot).where(col(Snapshot.run_id) == run, col(Snapshot.step) > after))


def of_comparison(session: Session, comparison: str, seed: int | None = None) -> list[SnapshotRow]:
    """Return a comparison's snapshots, in the order of its final runs, then of the epochs.

    All of one seed show the same samples, as points of different samples must not be compared; so
    do all seeds, unless each has a split of its own. If some snapshots of a seed show other
    samples, because a worker of another version drew those, the samples that most of them show are
    taken.

    Args:
        session: to read with.
        comparison: id of the comparison.
        seed: return only the snapshots of this seed; None for all.
    """
    run = (col(Run.id), col(Run.arm), col(Run.seed), col(Snapshot.epoch))
    rows = session.connection().execute(
        columns(*run, *_BLOBS.values())
        .join(Run, col(Run.id) == col(Snapshot.run_id))
        .where(col(Run.comparison_id) == comparison, col(Run.role) == "final")
        .order_by(col(Run.position), col(Snapshot.epoch))
    )
    found = [SnapshotRow._make(row) for row in rows]
    spec = session.exec(select(Comparison.spec).where(Comparison.id == comparison)).first() or {}
    by_seed = spec.get("replicate") == "split"
    counts: dict[int | None, Counter[str]] = defaultdict(Counter)
    for row in found:
        counts[row.seed if by_seed else None][row.samples] += 1
    shown = {of: count.most_common(1)[0][0] for of, count in counts.items()}
    return [
        row
        for row in found
        if row.samples == shown[row.seed if by_seed else None] and seed in (None, row.seed)
    ]


def blob_kinds(session: Session, comparison: str) -> dict[str, str]:
    """Return the kind of each blob of a comparison, by digest.

    A kind is embeddings, facts, samples, sprite, sounds, coordinates, checkpoint or artifact.
    """
    rows = session.connection().execute(
        columns(*_BLOBS.values())
        .join(Run, col(Run.id) == col(Snapshot.run_id))
        .where(col(Run.comparison_id) == comparison)
    )
    found = {digest: kind for row in rows for digest, kind in zip(row, _BLOBS, strict=True)}
    coordinates = select(Projection.coordinates).where(Projection.comparison_id == comparison)
    found |= dict.fromkeys(session.exec(coordinates).all(), "coordinates")
    checkpoints = select(Run.checkpoint).where(Run.comparison_id == comparison)
    found |= {digest: "checkpoint" for digest in session.exec(checkpoints).all() if digest}
    kept = (
        select(Artifact.digest)
        .join(Run, col(Run.id) == col(Artifact.run_id))
        .where(Run.comparison_id == comparison)
    )
    found |= dict.fromkeys(session.exec(kept).all(), "artifact")
    return {digest: kind for digest, kind in found.items() if digest}


def used_digests(session: Session, *, excluding: str = "") -> set[str]:
    """Return all blobs that a row names; the rows of the comparison `excluding` are left out."""
    rows = session.connection().execute(
        columns(*_BLOBS.values())
        .join(Run, col(Run.id) == col(Snapshot.run_id))
        .where(col(Run.comparison_id) != excluding)
    )
    found = {digest for row in rows for digest in row}
    coordinates = select(Projection.coordinates).where(Projection.comparison_id != excluding)
    checkpoints = select(Run.checkpoint).where(
        col(Run.checkpoint).is_not(None), col(Run.comparison_id) != excluding
    )
    kept = (
        select(Artifact.digest)
        .join(Run, col(Run.id) == col(Artifact.run_id))
        .where(col(Artifact.digest).is_not(None), col(Run.comparison_id) != excluding)
    )
    of_queries = (coordinates, checkpoints, kept)
    found |= {digest for query in of_queries for digest in session.exec(query).all()}
    return {digest for digest in found if digest}


def unrecorded_blobs_since(session: Session, now: float) -> float:
    """Return the time since when runs may have put blobs whose message is still on its way.

    It is the oldest start of the running runs, or now. A run sends its messages in order, so it
    counts as running until all of them are stored.
    """
    started = session.exec(select(func.min(Run.started_at)).where(Run.state == "running")).one()
    return now if started is None else min(now, started - START_LAG_S)


def delete_unused_blobs(
    database: Database, blobs: Blobs, digests: Mapping[str, str], now: float
) -> int:
    """Delete those of these blobs that no row names, and that no run may be about to name.

    What a run may name soon is kept; a later delete_all_unused_blobs deletes it.

    Args:
        database: the database whose rows name blobs.
        blobs: the store of blobs.
        digests: the blobs with their kinds, as blob_kinds returns them.
        now: blobs that were put after this time are kept.

    Returns:
        The number of bytes freed.
    """
    if not digests:
        return 0
    with database.read() as session:
        used = used_digests(session)
        before = unrecorded_blobs_since(session, now)
    unused = {digest: kind for digest, kind in digests.items() if digest not in used}
    # No run is about to name these: coordinates belong to no run, and the bytes of a checkpoint
    # never occur twice.
    at_once = {digest for digest, kind in unused.items() if kind in {"coordinates", "checkpoint"}}
    return blobs.delete(at_once, now) + blobs.delete(unused.keys() - at_once, before)


def delete_all_unused_blobs(database: Database, blobs: Blobs, now: float) -> int:
    """Delete all old blobs that no row names; return the number of bytes freed."""
    with database.read() as session:
        used = used_digests(session)
        before = min(now - GRACE_PERIOD_S, unrecorded_blobs_since(session, now))
    return blobs.delete_except(used, before)
