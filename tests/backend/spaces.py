"""What the tests of blobs, snapshots and projections build on: workers' calls, and what is left."""

import hashlib
from collections.abc import Sequence
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


def put(client: httpx.Client, content: Any, digest: str) -> httpx.Response:
    return client.put(f"{BLOBS}/{digest}", content=content, headers=AS_WORKER)


def stored(client: httpx.Client, content: bytes) -> str:
    """The digest of a blob that is taken."""
    digest = digest_of(content)
    answer = put(client, content, digest)
    assert answer.status_code == 204, answer.text
    return digest


def on_disk(blobs: Blobs) -> dict[str, int]:
    """The blobs there are, with their sizes."""
    assert list((blobs.root / ".incoming").iterdir()) == []
    return {file.name: file.stat().st_size for file in blobs.root.glob("??/*")}


def snapshots_of(
    blobs: Blobs, run: Run, epochs: Sequence[int], samples: int = 40
) -> list[Snapshot]:
    """The blobs of a run's snapshots, put as a worker would; what it then tells."""
    labels, shared = put_samples(blobs, samples)
    return [
        put_snapshot(blobs, drawn_points(run, labels, epoch, 10), labels, epoch, shared)
        for epoch in epochs
    ]


def keep(database: Database, attempt: Attempt, snapshots: Sequence[Snapshot]) -> None:
    """As the collector would."""
    with database.write() as write:
        counts = handlers.store_events(write, [attempt.kept(one) for one in snapshots], now=1003.0)
    assert counts["taken"] == len(snapshots)


def projection(api: Api, comparison: str, **asked: Any) -> Json:
    """The answer to a question."""
    return api.get(f"/comparisons/{comparison}/projection", **{"seed": 0, "method": "pca"} | asked)


def claimed(api: Api) -> Json | None:
    """The next task of a projector."""
    answer = api.internal("/projections/claim", {})
    assert answer.status_code in {200, 204}, answer.text
    return answer.json() if answer.status_code == 200 else None


def progress(api: Api, task: str, share: float) -> bool:
    answer = api.internal(f"/projections/{task}/progress", {"progress": share})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["current"])


def end(api: Api, task: str, **told: Any) -> None:
    answer = api.internal(f"/projections/{task}/end", told)
    assert answer.status_code == 204, answer.text


def finish(api: Api, task: Json, points: int) -> bytes:
    """Coordinates for a task, as a projector puts them: counted up, so that places are known."""
    epochs = len(task["inputs"][0]["epochs"])
    shape = (len(task["inputs"]), epochs, points, task["dims"])
    content = np.arange(np.prod(shape), dtype="<f4").tobytes()
    end(api, task["id"], digest=stored(api.http, content))
    return content


def change(parts: Parts, task: str, **values: Any) -> None:
    """Let time pass for a projection."""
    with parts.database.write() as write:
        row = write.session.get(Projection, task)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        write.session.add(row)


def ids(parts: Parts) -> dict[str, str]:
    """All projections with their states."""
    with parts.database.read() as session:
        return {row.id: row.state for row in session.exec(select(Projection)).all()}


def heard_at(parts: Parts, task: str) -> float:
    with parts.database.read() as session:
        row = session.get(Projection, task)
        assert row is not None
        assert row.heard_at is not None
        return row.heard_at
