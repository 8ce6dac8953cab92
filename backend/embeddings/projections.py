"""Projections as viewers ask for them."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Projection
from backend.embeddings import repository
from backend.embeddings.schemas import Earlier, Method, ProjectionOut
from backend.embeddings.service import Reader, blob_path
from backend.errors import ConflictError, NotFoundError
from backend.export.files import file_name, safe
from backend.runs import snapshots
from backend.storage.blobs import Blobs
from contract.snapshots import Samples

AXES: Final = "xyz"
ITEM: Final = 4
"""Bytes of a coordinate."""


@dataclass(frozen=True)
class Question:
    """What to project, and how."""

    comparison: str
    seed: int
    method: Method
    dims: Literal[2, 3]


def ask(database: Database, reader: Reader, asked: Question, now: float) -> ProjectionOut:
    """The coordinates, or how far they are; the first to ask has them made.

    Raises:
        NotFoundError: there is nothing to project.
    """
    with database.read() as session:  # polling must not write
        wanted = _wanted(session, asked, now)
        found = repository.find(session, wanted.id)
        if found and not repository.due(found, now):
            return _out(reader, session, found, now)
    with database.write() as write:
        wanted = _wanted(write.session, asked, now)
        return _out(reader, write.session, repository.queue(write, wanted, now), now)


def table(
    database: Database, blobs: Blobs, reader: Reader, asked: Question, now: float
) -> tuple[str, Iterator[str]]:
    """The coordinates as CSV: arm, epoch, sample, id, label, x, y and, of three, z.

    Returns:
        A name for the file, and its lines, bit by bit.

    Raises:
        NotFoundError: there is nothing to project.
        ConflictError: they are not made yet.
    """
    with database.read() as session:
        found = repository.find(session, _wanted(session, asked, now).id)
        if found is None or found.state != "ready" or found.coordinates is None:
            state = found.state if found else "not asked for yet"
            raise ConflictError(
                f"the projection is {state}; ask for it at "
                f"GET /comparisons/{asked.comparison}/projection until it is ready"
            )
        samples = _samples(reader, session, asked.comparison)
        content = blobs.read(found.coordinates)
        comparison = comparisons.get(session, asked.comparison)
        ending = f"-{asked.method}-{asked.dims}d-seed-{asked.seed}.csv"
        name = file_name(comparison.name, comparison.id, ending)
    arms, epochs = _arms(found), _epochs(found)
    points = np.frombuffer(content, dtype="<f4").reshape(len(arms), len(epochs), -1, found.dims)
    return name, _lines(points, arms, epochs, samples)


def unfit(
    blobs: Blobs, reader: Reader, session: Session, projection: Projection, digest: str
) -> str:
    """Why a blob cannot be a projection's coordinates; empty if it can."""
    try:
        points = len(_samples(reader, session, projection.comparison_id).labels)
        held = blobs.path(digest).stat().st_size
    except NotFoundError as error:
        return error.message
    due = len(_arms(projection)) * len(_epochs(projection)) * points * projection.dims * ITEM
    if held == due:
        return ""
    return (
        f"the coordinates that came have {held} bytes; those of all samples have {due}: the "
        "snapshots hold other samples, or the projector is of another version"
    )


def _wanted(session: Session, asked: Question, now: float) -> Projection:
    """The row that would answer the question."""
    comparison = comparisons.get(session, asked.comparison)
    inputs = repository.inputs(session, comparison, asked.seed)
    if not inputs:
        raise NotFoundError(
            f"comparison {asked.comparison!r} has no snapshots of seed {asked.seed} to project "
            f"yet; GET /comparisons/{asked.comparison}/space says of which seeds it has"
        )
    return Projection(
        id=repository.id_of(asked.comparison, asked.method, asked.dims, asked.seed, inputs),
        comparison_id=asked.comparison,
        inputs=inputs,
        method=asked.method,
        dims=asked.dims,
        seed=asked.seed,
        created_at=now,
    )


def _out(reader: Reader, session: Session, found: Projection, now: float) -> ProjectionOut:
    points = len(_samples(reader, session, found.comparison_id).labels)
    before = None if found.state == "ready" else repository.earlier(session, found)
    out = {
        "id": found.id,
        "state": found.state,
        "progress": found.progress,
        "eta_s": repository.eta_s(found, now),
        "error": found.error,
        "method": found.method,
        "dims": found.dims,
        "seed": found.seed,
        "n": points,
        "epochs": _epochs(found),
        "arms": _arms(found),
        "coordinates": _path(found),
        "earlier": _earlier(before, points) if before else None,
    }
    return ProjectionOut.model_validate(out)


def _earlier(before: Projection, points: int) -> Earlier:
    return Earlier(
        id=before.id,
        n=points,
        epochs=_epochs(before),
        arms=_arms(before),
        coordinates=_path(before) or "",
    )


def _path(projection: Projection) -> str | None:
    digest = projection.coordinates
    return blob_path(projection.comparison_id, digest) if digest else None


def _arms(projection: Projection) -> list[str]:
    return [arm["arm"] for arm in projection.inputs]


def _epochs(projection: Projection) -> list[int]:
    return [one["epoch"] for one in projection.inputs[0]["epochs"]]


def _samples(reader: Reader, session: Session, comparison: str) -> Samples:
    shown = snapshots.of_comparison(session, comparison)
    if not shown:
        raise NotFoundError(f"comparison {comparison!r} has no snapshot any more")
    return reader.samples(shown[0].samples)


def _lines(
    points: NDArray[np.float32], arms: Sequence[str], epochs: Sequence[int], samples: Samples
) -> Iterator[str]:
    """The header, then all samples of one arm and epoch at a time."""
    classes = [safe(name) for name in samples.classes]
    names = [classes[label] for label in samples.labels]
    yield _csv([("arm", "epoch", "sample", "id", "label", *AXES[: points.shape[-1]])])
    for arm, of_arm in zip(arms, points, strict=True):
        for epoch, layout in zip(epochs, of_arm, strict=True):
            rows = zip(samples.ids, names, layout.tolist(), strict=True)
            yield _csv(
                (safe(arm), epoch, sample, item, name, *(f"{x:.7g}" for x in place))
                for sample, (item, name, place) in enumerate(rows)
            )


def _csv(rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
