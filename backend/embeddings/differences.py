"""Answers about what the arms get wrong, and about how much two of them agree."""

from typing import Final

import numpy as np

from backend.db.database import Database
from backend.embeddings.agreement import by_class, linear_cka, neighbours_kept
from backend.embeddings.schemas import (
    ArmTuples,
    ClassMoved,
    HardTupleOut,
    SpaceHardest,
    SpaceMoved,
    SuspectOut,
)
from backend.embeddings.service import SnapshotReader, of_epoch
from backend.embeddings.tuples import HardTuple, suspects
from backend.errors import NotFoundError
from backend.runs.snapshots import SnapshotRow

LISTED_SUSPECTS: Final = 24


def hardest(
    database: Database, reader: SnapshotReader, comparison: str, *, seed: int, epoch: int
) -> SpaceHardest:
    """Return every arm's hardest tuples at an epoch, and the samples whose label is suspect."""
    with database.read() as session:
        rows = of_epoch(session, comparison, seed, epoch)
    labels = np.array(reader.samples(rows[0].samples).labels)
    near = [reader.facts(row.facts).neighbours for row in rows]
    found = suspects(near, labels)
    of_arms = [reader.hardest(row.embeddings, row.samples) for row in rows]
    return SpaceHardest(
        seed=seed,
        epoch=epoch,
        among=of_arms[0].among,
        arms=[
            ArmTuples(
                arm=row.arm,
                mean_distance=one.mean_distance,
                triplets=_listed(one.triplets),
                positives=_listed(one.positives),
                negatives=_listed(one.negatives),
            )
            for row, one in zip(rows, of_arms, strict=True)
        ],
        k=len(near[0][0]),
        suspects=[
            SuspectOut(label=int(labels[one.sample]), **one._asdict())
            for one in found[:LISTED_SUSPECTS]
        ],
        suspected=len(found),
    )


def moved(
    database: Database,
    reader: SnapshotReader,
    comparison: str,
    *,
    seed: int,
    epoch: int,
    a: str | None,
    b: str | None,
) -> SpaceMoved:
    """Return how much two arms agree at an epoch.

    Args:
        database: to read.
        reader: of blobs.
        comparison: id of the comparison.
        seed: of the runs.
        epoch: of the snapshots.
        a: an arm; None for the first.
        b: another one; None for the first but `a`.

    Raises:
        NotFoundError: an arm has no snapshot of this epoch, or only one arm has.
    """
    with database.read() as session:
        rows = {row.arm: row for row in of_epoch(session, comparison, seed, epoch)}
    first = _arm(rows, a or next(iter(rows)), epoch)
    others = [arm for arm in rows if arm != first.arm]
    if b is None and not others:
        raise NotFoundError(f"only {first.arm!r} has a snapshot of epoch {epoch}; two are compared")
    second = _arm(rows, b or others[0], epoch)
    labels = np.array(reader.samples(first.samples).labels)
    near = [reader.facts(row.facts).neighbours for row in (first, second)]
    kept = neighbours_kept(*near)
    cka = linear_cka(*(reader.embeddings(row.embeddings) for row in (first, second)))
    k = len(near[0][0])
    return SpaceMoved(
        seed=seed,
        epoch=epoch,
        a=first.arm,
        b=second.arm,
        k=k,
        kept=float(kept.mean()),
        chance=k / (len(labels) - 1),
        classes=[ClassMoved(**one._asdict()) for one in by_class(kept, labels)],
        cka=cka.debiased,
        cka_biased=cka.biased,
        among=cka.among,
    )


def _arm(rows: dict[str, SnapshotRow], arm: str, epoch: int) -> SnapshotRow:
    if arm not in rows:
        known = ", ".join(map(repr, rows))
        raise NotFoundError(f"arm {arm!r} has no snapshot of epoch {epoch}; these have: {known}")
    return rows[arm]


def _listed(found: list[HardTuple]) -> list[HardTupleOut]:
    return [HardTupleOut(samples=list(one.samples), value=one.value) for one in found]
