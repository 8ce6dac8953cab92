"""Trained models that runs of a test's database have kept."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlmodel import select

from backend.db.database import Database
from backend.db.models import Artifact, Run
from backend.runs import artifacts
from backend.storage.blobs import Blobs
from contract.artifacts import ArtifactKind, Confusion
from contract.events import Artifact as ArtifactEvent

KINDS: Final[tuple[ArtifactKind, ...]] = ("weights", "embeddings", "confusion")


def part(kind: ArtifactKind, digest: str | None, **facts: Any) -> ArtifactEvent:
    """Return what a worker tells of a part of a model."""
    if kind == "weights":
        facts = {"encoder": "mlp", "parameters": 10, "step": 5, **facts}
    problem = "" if digest else "too large"
    return ArtifactEvent(kind=kind, digest=digest, size=10, facts=facts, problem=problem)


def store_part(
    database: Database, run: Run, kind: ArtifactKind, digest: str | None, **facts: Any
) -> None:
    """Store that a run that has succeeded keeps a part of its model."""
    with database.write() as write:
        artifacts.put(write, run, part(kind, digest, **facts))
        artifacts.settle(write, run)


def store_models(database: Database, blobs: Blobs, comparison: str) -> None:
    """Let each succeeded run of a comparison have kept all parts, with contents of their own."""
    with database.read() as session:
        query = select(Run).where(Run.comparison_id == comparison, Run.state == "succeeded")
        runs = session.exec(query).all()
    with database.write() as write:
        for run in runs:
            for kind in KINDS:
                digest = blobs.put(f"{kind} of {run.id}".encode())
                artifacts.put(write, run, part(kind, digest))


def store_confusion(
    database: Database,
    blobs: Blobs,
    run: Run,
    pairs: Sequence[tuple[int, int, int]],
    *,
    classes: Sequence[str] = ("a", "b", "c"),
    items: int = 10,
) -> None:
    """Let a run have kept a confusion with these wrong pairs, of so many items a class."""
    wrong = [sum(n for a, _, n in pairs if a == label) for label in range(len(classes))]
    found = Confusion(
        classes=list(classes),
        items=[items] * len(classes),
        right=[items - n for n in wrong],
        pairs=list(pairs),
    )
    store_part(database, run, "confusion", blobs.put(json.dumps(found.model_dump()).encode()))


def parts_of(database: Database, kind: ArtifactKind = "weights") -> dict[str, str | None]:
    """Return the digest of a part of each run that has a row for it."""
    with database.read() as session:
        rows = session.exec(select(Artifact).where(Artifact.kind == kind)).all()
        return {row.run_id: row.digest for row in rows}
