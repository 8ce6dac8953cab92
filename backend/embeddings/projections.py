"""Projections as viewers get them: their state, and their coordinates as a table."""

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
from backend.embeddings.service import SnapshotReader, blob_path
from backend.embeddings.waiting import place_of
from backend.errors import ConflictError, NotFoundError
from backend.export.files import escape_formula, file_name
from backend.http.writing import PROMPT_WAIT_S
from backend.runs import snapshots
from backend.storage.blobs import Blobs
from contract.snapshots import Samples

AXES: Final = "xyz"
COORDINATE_BYTES: Final = 4


@dataclass(frozen=True)
class ProjectionQuery:
    """What to project, and by which method."""

    comparison: str
    seed: int
    method: Method
    dims: Literal[2, 3]


def request_projection(
    database: Database, reader: SnapshotReader, asked: ProjectionQuery, now: float
) -> ProjectionOut:
    """Return the state of a projection, with its coordinates if it is ready; queue a new one.

    Raises:
        NotFoundError: there are no snapshots to project.
    """
    with database.read() as session:  # polling must not write
        wanted = _wanted(session, asked, now)
        found = repository.find(session, wanted.id)
        if found and not repository.must_queue(found, now):
            return _out(reader, session, found, now)
    with database.write(PROMPT_WAIT_S) as write:  # the thread is one of those that read
        wanted = _wanted(write.session, asked, now)
        return _out(reader, write.session, repository.queue(write, wanted, now), now)


def restart_projection(
    database: Database, reader: SnapshotReader, asked: ProjectionQuery, now: float
) -> ProjectionOut:
    """Queue a projection that was cancelled or failed, or that nobody has requested yet.

    Raises:
        NotFoundError: there are no snapshots to project.
    """
    with database.write() as write:
        found = repository.queue(write, _wanted(write.session, asked, now), now)
        repository.restart(write, found, now)
        return _out(reader, write.session, found, now)


def cancel_projection(
    database: Database, reader: SnapshotReader, asked: ProjectionQuery, now: float
) -> ProjectionOut:
    """Cancel a projection that waits or is computed; one that has ended stays as it is.

    Raises:
        NotFoundError: there are no snapshots to project, or nobody has requested it.
    """
    with database.write() as write:
        found = repository.find(write.session, _wanted(write.session, asked, now).id)
        if found is None:
            raise NotFoundError(
                f"nobody has requested this projection of comparison {asked.comparison!r}, or its "
                "snapshots have changed since"
            )
        repository.cancel(write, found, now)
        return _out(reader, write.session, found, now)


def coordinates_csv(
    database: Database, blobs: Blobs, reader: SnapshotReader, asked: ProjectionQuery, now: float
) -> tuple[str, Iterator[str]]:
    """Return the coordinates as CSV: arm, epoch, sample, id, label, x, y and, in 3D, z.

    Returns:
        A name for the file, and its lines in parts.

    Raises:
        NotFoundError: there are no snapshots to project.
        ConflictError: the projection is not ready.
    """
    with database.read() as session:
        found = repository.find(session, _wanted(session, asked, now).id)
        if found is None or found.state != "ready" or found.coordinates is None:
            state = found.state if found else "not asked for yet"
            raise ConflictError(
                f"the projection is {state}; ask for it at "
                f"GET /comparisons/{asked.comparison}/projection until it is ready"
            )
        samples = _samples(reader, session, asked.comparison, asked.seed)
        content = blobs.read(found.coordinates)
        comparison = comparisons.get(session, asked.comparison)
        ending = f"-{asked.method}-{asked.dims}d-seed-{asked.seed}.csv"
        name = file_name(comparison.name, comparison.id, ending)
    arms, epochs = _arms(found), _epochs(found)
    points = np.frombuffer(content, dtype="<f4").reshape(len(arms), len(epochs), -1, found.dims)
    return name, _lines(points, arms, epochs, samples)


def coordinates_problem(
    blobs: Blobs, reader: SnapshotReader, session: Session, projection: Projection, digest: str
) -> str:
    """Return why a blob cannot be a projection's coordinates; empty if it can."""
    try:
        points = len(_samples(reader, session, projection.comparison_id, projection.seed).labels)
        held = blobs.path(digest).stat().st_size
    except NotFoundError as error:
        return error.message
    rows = len(_arms(projection)) * len(_epochs(projection)) * points
    due = rows * projection.dims * COORDINATE_BYTES
    if held == due:
        return ""
    return (
        f"the coordinates that came have {held} bytes; those of all samples have {due}: the "
        "snapshots hold other samples, or the projector is of another version"
    )


def _wanted(session: Session, asked: ProjectionQuery, now: float) -> Projection:
    """Return the projection that answers the query, as a new row."""
    comparison = comparisons.get(session, asked.comparison)
    inputs = repository.projection_inputs(session, comparison, asked.seed)
    if not inputs:
        raise NotFoundError(
            f"comparison {asked.comparison!r} has no snapshots of seed {asked.seed} to project "
            f"yet; GET /comparisons/{asked.comparison}/space says of which seeds it has"
        )
    return Projection(
        id=repository.projection_id(asked.comparison, asked.method, asked.dims, asked.seed, inputs),
        comparison_id=asked.comparison,
        inputs=inputs,
        method=asked.method,
        dims=asked.dims,
        seed=asked.seed,
        created_at=now,
    )


def _out(reader: SnapshotReader, session: Session, found: Projection, now: float) -> ProjectionOut:
    points = len(_samples(reader, session, found.comparison_id, found.seed).labels)
    before = None if found.state == "ready" else repository.find_earlier(session, found)
    out = {
        "id": found.id,
        "state": found.state,
        "progress": found.progress,
        **place_of(session, reader, found, now)._asdict(),
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


def _samples(reader: SnapshotReader, session: Session, comparison: str, seed: int) -> Samples:
    shown = snapshots.of_comparison(session, comparison, seed)
    if not shown:
        raise NotFoundError(f"comparison {comparison!r} has no snapshot of seed {seed} any more")
    return reader.samples(shown[0].samples)


def _lines(
    points: NDArray[np.float32], arms: Sequence[str], epochs: Sequence[int], samples: Samples
) -> Iterator[str]:
    """Yield the header, then all samples of one arm and epoch at a time."""
    classes = [escape_formula(name) for name in samples.classes]
    names = [classes[label] for label in samples.labels]
    yield _csv([("arm", "epoch", "sample", "id", "label", *AXES[: points.shape[-1]])])
    for arm, of_arm in zip(arms, points, strict=True):
        for epoch, layout in zip(epochs, of_arm, strict=True):
            rows = zip(samples.ids, names, layout.tolist(), strict=True)
            yield _csv(
                (escape_formula(arm), epoch, sample, item, name, *(f"{x:.7g}" for x in place))
                for sample, (item, name, place) in enumerate(rows)
            )


def _csv(rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
