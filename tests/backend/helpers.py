"""The API's client, events of a run, and database helpers for the backend's tests."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import redis

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Comparison, Run
from backend.metrics import series
from backend.runs import repository as runs
from contract.comparison.spec import parse_spec
from contract.events import (
    Artifact,
    ArtifactKept,
    Checkpointed,
    Column,
    Ended,
    Event,
    Failure,
    Kept,
    Log,
    Lost,
    Noticed,
    Points,
    Preparation,
    Preparing,
    Snapshot,
    Started,
    encode,
)
from contract.metrics.states import State
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.support.specs import small

TOKEN = "secret"
Json = dict[str, Any]


class Attempt:
    """The messages of one attempt, with ascending numbers."""

    def __init__(self, run: str, attempt: int = 1) -> None:
        self.run = run
        self.attempt = attempt
        self.seq = 0

    def preparing(self, done: float, what: str = "reading") -> Preparing:
        preparation = Preparation(what=what, done=done, total=10, eta_s=3.0)
        return Preparing(**self._next(), preparation=preparation)

    def started(self, total_steps: int = 100, after: int = 0, **facts: Json) -> Started:
        steps = {"total_steps": total_steps, "steps_per_epoch": 10, "after": after}
        return Started(**self._next(), device="cpu", **steps, **facts)

    def points(
        self, steps: Sequence[int], values: Sequence[float | None] | None = None, key: str = "k"
    ) -> Points:
        chosen = [float(s) for s in steps] if values is None else list(values)
        column = Column(key=key, steps=list(steps), values=chosen)
        return Points(**self._next(), step=max(steps), series=[column])

    def noticed(
        self, state: State, step: int, message: str = "seen", *, over: bool = False
    ) -> Noticed:
        return Noticed(**self._next(), state=state, step=step, message=message, over=over)

    def log(self, *lines: str) -> Log:
        return Log(**self._next(), lines=list(lines))

    def kept(self, snapshot: Snapshot) -> Kept:
        return Kept(**self._next(), snapshot=snapshot)

    def checkpointed(self, step: int, digest: str = 64 * "c") -> Checkpointed:
        return Checkpointed(**self._next(), step=step, digest=digest)

    def artifact(self, artifact: Artifact) -> ArtifactKept:
        return ArtifactKept(**self._next(), artifact=artifact)

    def ended(self, state: Any = "succeeded", failure: Failure | None = None) -> Ended:
        return Ended(**self._next(), state=state, failure=failure)

    def lost(self, reason: str = "killed", *, strike: bool = True) -> Lost:
        return Lost(run=self.run, attempt=self.attempt, reason=reason, strike=strike)

    def _next(self) -> Json:
        self.seq += 1
        return {"run": self.run, "attempt": self.attempt, "seq": self.seq}


def send(client: redis.Redis, *events: Event) -> None:
    """Add events to the stream."""
    for event in events:
        client.xadd(EVENT_STREAM, {EVENT_FIELD: encode(event)})


def submit(database: Database, **changes: Any) -> Comparison:
    """Store a small comparison."""
    spec = parse_spec(small(**changes))
    with database.write() as write:
        return comparisons.create(write, spec=spec, raw=spec.model_dump(mode="json"), now=1000.0)


def claim(database: Database, worker: str = "w", now: float = 1001.0) -> Run | None:
    """Claim the next run."""
    with database.write() as write:
        return runs.claim(write, worker=worker, device="cpu", now=now)


def running(database: Database) -> Run:
    """Return a run that has just been claimed."""
    submit(database)
    run = claim(database)
    assert run is not None
    return run


def run_now(database: Database, run: str) -> Run:
    """Return a run as it is in the database now."""
    with database.read() as session:
        return runs.get(session, run)


def points_of(database: Database, run: str, key: str = "k") -> tuple[list[int], list[Any]]:
    """Return all points of a series from its raw rows; the roll-up must have the same count."""
    with database.read() as session:
        rows = series.find(session, runs=[run], keys=[key])
        if not rows:
            return [], []
        curve = series.read(session, rows, after=-1, max_points=10**9)[0]
    assert curve.total == len(curve.steps)
    return curve.steps, curve.values


class Api:
    """The HTTP API, as pages and workers call it."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def submit(self, **changes: Any) -> str:
        answer = self.http.post("/api/v1/comparisons", json=small(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def get(self, path: str, **params: Any) -> Json:
        answer = self.http.get(f"/api/v1{path}", params=params)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def post(self, path: str, status: int = 200) -> Json:
        answer = self.http.post(f"/api/v1{path}")
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    def internal(self, path: str, body: Json) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return self.http.post(f"/api/v1/internal{path}", json=body, headers=headers)

    def claim(self, worker: str = "w") -> Json | None:
        body = {"worker": worker, "device": "cpu", "host": "here", "pid": 7}
        answer = self.internal("/claim", body)
        assert answer.status_code in {200, 204}, answer.text
        return answer.json() if answer.status_code == 200 else None

    def heartbeat(self, run: str, attempt: int = 1) -> Json:
        answer = self.internal(f"/runs/{run}/heartbeat", {"attempt": attempt, "worker": "w"})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found


class Sse:
    """Reads server-sent events from an open response."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.last_id = ""

    def __iter__(self) -> Iterator[tuple[str, Json]]:
        name = ""
        data: list[str] = []
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                self.last_id = value
            elif not line and data:
                yield name, json.loads("\n".join(data))
                name, data = "", []


def check_error(answer: Any, status: int, code: str) -> Json:
    """Check an answer in the one error shape and return its body."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    assert set(body) == {"error", "message", "fields"}
    assert body["error"] == code
    assert body["message"]
    for field in body["fields"]:
        assert set(field) == {"path", "message"}
    return body
