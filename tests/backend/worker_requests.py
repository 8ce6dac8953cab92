"""Requests as workers send them, and their results; for tests of blobs, snapshots, projections."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
from sqlmodel import select

from backend.db.database import Database
from backend.db.models import Projection, Run
from backend.ingest import handlers
from backend.state import Parts
from backend.storage.blobs import Blobs
from contract.events import Snapshot
from tests.backend.helpers import TOKEN, Api, Attempt, Json
from tests.support.snapshots import drawn_points, put_samples, put_snapshot

AS_WORKER = {"Authorization": f"Bearer {TOKEN}"}
BLOBS = "/api/v1/internal/blobs"


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_blob(client: httpx.Client, content: Any, digest: str) -> httpx.Response:
    return client.put(f"{BLOBS}/{digest}", content=content, headers=AS_WORKER)


def store_blob(client: httpx.Client, content: bytes) -> str:
    """Store a blob and return its digest."""
    digest = digest_of(content)
    answer = put_blob(client, content, digest)
    assert answer.status_code == 204, answer.text
    return digest


def on_disk(blobs: Blobs) -> dict[str, int]:
    """Return the blobs on disk with their sizes."""
    assert list((blobs.root / ".incoming").iterdir()) == []
    sizes = {}
    for file in blobs.root.glob("??/*"):
        with suppress(FileNotFoundError):  # the API may delete a blob meanwhile
            sizes[file.name] = file.stat().st_size
    return sizes


def put_snapshots(
    blobs: Blobs, run: Run, epochs: Sequence[int], samples: int = 40
) -> list[Snapshot]:
    """Store the blobs of a run's snapshots as a worker does; return the snapshots it reports."""
    labels, shared = put_samples(blobs, samples)
    return [
        put_snapshot(blobs, drawn_points(run, labels, epoch, 10), labels, epoch, shared)
        for epoch in epochs
    ]


def store_snapshot_events(
    database: Database, attempt: Attempt, snapshots: Sequence[Snapshot]
) -> None:
    """Store the events of these snapshots as the collector would."""
    with database.write() as write:
        counts = handlers.store_events(write, [attempt.kept(one) for one in snapshots], now=1003.0)
    assert counts["taken"] == len(snapshots)


def get_projection(api: Api, comparison: str, **asked: Any) -> Json:
    """Request a projection and return the answer."""
    return api.get(f"/comparisons/{comparison}/projection", **{"seed": 0, "method": "pca"} | asked)


def claim_projection(api: Api, *methods: str) -> Json | None:
    """Return the next task of a projector."""
    answer = api.internal("/projections/claim", {"methods": methods} if methods else {})
    assert answer.status_code in {200, 204}, answer.text
    return answer.json() if answer.status_code == 200 else None


def report_progress(api: Api, task: str, share: float) -> bool:
    answer = api.internal(f"/projections/{task}/progress", {"progress": share})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["current"])


def end_projection(api: Api, task: str, **result: Any) -> None:
    answer = api.internal(f"/projections/{task}/end", result)
    assert answer.status_code == 204, answer.text


def finish_projection(api: Api, task: Json, points: int) -> bytes:
    """Send the coordinates of a task as a projector does: ascending numbers, so that places are
    known."""
    epochs = len(task["inputs"][0]["epochs"])
    shape = (len(task["inputs"]), epochs, points, task["dims"])
    content = np.arange(np.prod(shape), dtype="<f4").tobytes()
    end_projection(api, task["id"], digest=store_blob(api.http, content))
    return content


def update_projection(parts: Parts, task: str, **values: Any) -> None:
    """Change columns of a projection, for example to let time pass."""
    with parts.database.write() as write:
        row = write.session.get(Projection, task)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        write.session.add(row)


def projection_states(parts: Parts) -> dict[str, str]:
    """Return all projections with their states."""
    with parts.database.read() as session:
        return {row.id: row.state for row in session.exec(select(Projection)).all()}


def heard_at(parts: Parts, task: str) -> float:
    with parts.database.read() as session:
        row = session.get(Projection, task)
        assert row is not None
        assert row.heard_at is not None
        return row.heard_at
