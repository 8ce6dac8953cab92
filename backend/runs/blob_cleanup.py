"""Which blobs nobody needs any more, and how they go."""

from collections.abc import Mapping
from typing import Final

from sqlmodel import Session, func, select

from backend.db.database import Database
from backend.db.models import Run
from backend.runs import snapshots
from backend.storage.blobs import YOUNG_S, Blobs

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
        used = snapshots.used_digests(session)
        before = under_way_since(session, now)
    unused = {digest: what for digest, what in digests.items() if digest not in used}
    # No run is about to name these: coordinates are of no run, a checkpoint's bytes of one moment.
    made = {digest for digest, what in unused.items() if what in {"coordinates", "checkpoint"}}
    return blobs.drop(made, now) + blobs.drop(unused.keys() - made, before)


def sweep(database: Database, blobs: Blobs, now: float) -> int:
    """Delete all old blobs that no row names; how many bytes that frees."""
    with database.read() as session:
        used = snapshots.used_digests(session)
        before = min(now - YOUNG_S, under_way_since(session, now))
    return blobs.sweep(used, before)
