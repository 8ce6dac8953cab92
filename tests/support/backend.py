"""A small backend for tests of the worker, over real HTTP and Redis.

It hands out runs, answers heartbeats and takes events off the stream by the collector's rule: the
current attempt's next number, nothing else.
"""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import redis

from contract.events import Checkpointed, Ended, Event, Lost, Started, decode
from contract.names import EVENT_FIELD, EVENT_STREAM

TOKEN = "secret"
Json = dict[str, Any]


@dataclass
class Run:
    """A run as this backend stores it."""

    id: str
    spec: Json
    arm: str
    seed: int
    state: str = "queued"
    attempt: int = 1
    cancel: bool = False
    keeps_checkpoints: bool = False
    """Whether its next attempt goes on from its last checkpoint, as in the real backend."""
    checkpoint: Checkpointed | None = None
    bundle: str = ""
    """It may be trained together with other runs of this name; empty: alone."""
    loss_digest: str = ""
    """Of the plug-in that a slot must have; empty for none."""
    drops_events: bool = False
    """Whether its events are read and dropped, as by a collector that cannot store them."""
    events: list[Event] = field(default_factory=list)
    """Stored events of the current attempt."""
    lost: list[Lost] = field(default_factory=list)
    beats: Counter[int] = field(default_factory=Counter)
    """Heartbeats by attempt."""

    @property
    def fits(self) -> tuple[str, int] | None:
        """What runs have in common that are trained together; None if it is trained alone."""
        if not self.bundle or any(lost.strike for lost in self.lost):
            return None
        return self.bundle, 0 if self.checkpoint is None else self.checkpoint.step

    @property
    def step(self) -> int:
        """Last stored step."""
        return max((event.step for event in self.events if event.kind == "points"), default=-1)

    @property
    def series(self) -> dict[str, list[tuple[int, float | None]]]:
        """All stored points."""
        found: dict[str, list[tuple[int, float | None]]] = {}
        for event in self.events:
            if event.kind == "points":
                for column in event.series:
                    points = zip(column.steps, column.values, strict=True)
                    found.setdefault(column.key, []).extend(points)
        return found


class Backend:
    """An HTTP server and a collector, each in a thread."""

    def __init__(self, broker_url: str) -> None:
        self.runs: dict[str, Run] = {}
        self._queued = 0
        self.seen: Counter[str] = Counter()
        self.claims: list[Json] = []
        self.plugins: list[Json] = []
        """What slots have reported of their plug-ins."""
        self.blobs: dict[str, bytes] = {}
        self.dropped = 0
        self._redis = redis.Redis.from_url(broker_url)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.away = False
        self._collector = threading.Thread(target=self._collect)
        self._collector.start()
        self.open()

    @property
    def url(self) -> str:
        """Address for workers."""
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Answer HTTP, on the same port as before."""
        self.away = False
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def shut(self) -> None:
        """Refuse connections, as a dead API does."""
        assert self._server is not None
        self.away = True
        self._server.shutdown()
        self._server.server_close()

    def close(self) -> None:
        """Stop both."""
        self.shut()
        self._closed.set()
        self._collector.join()
        self._redis.close()

    def queue(self, spec: Json, *, arm: str | None = None, seed: int = 0, bundle: str = "") -> Run:
        """Queue one run of a spec; a slot gets it together with the others of its bundle."""
        self._queued += 1
        run = Run(f"r{self._queued - 1}", spec, arm or spec["arms"][0]["name"], seed, bundle=bundle)
        self.runs[run.id] = run
        return run

    def queue_together(self, spec: Json, seeds: Sequence[int]) -> list[Run]:
        """Queue runs of a spec that a slot gets together."""
        bundle = f"b{self._queued}"
        with self._lock:
            return [self.queue(spec, seed=seed, bundle=bundle) for seed in seeds]

    def delete(self, run: Run) -> None:
        """Delete a run, as with its comparison."""
        with self._lock:
            del self.runs[run.id]

    def answer(self, path: str, body: Json) -> tuple[int, Json | None]:
        """Return status and body of the answer to a request."""
        with self._lock:
            match path.removeprefix("/api/v1/internal/").split("/"):
                case ["claim"]:
                    self.claims.append(body)
                    return self._claim(body.get("most", 1), body.get("losses", []))
                case ["heartbeats"]:
                    alive = [(one["run"], one["attempt"]) for one in body["runs"]]
                    return 200, {"answers": [self._beat(*one) for one in alive]}
                case ["plugins"]:
                    self.plugins = body["plugins"]
                    return 204, None
                case ["workers", name, "seen"]:
                    self.seen[name] += 1
                    return 204, None
        return 404, {"error": "not_found"}

    def _claim(self, most: int, losses: Sequence[str]) -> tuple[int, Json | None]:
        """Give the first queued run, with others that are queued together with it, start after the
        same step, and have lost no trainer."""
        queued = [
            run
            for run in self.runs.values()
            if run.state == "queued" and run.loss_digest in ("", *losses)
        ]
        if not queued:
            return 204, None
        first, *rest = queued
        others = [run for run in rest if run.fits == first.fits and run.fits is not None]
        together = others[: most - 1]
        given = [self._claim_of(run) for run in (first, *together)]
        return 200, {**given[0], "others": given[1:]}

    def _claim_of(self, run: Run) -> Json:
        run.state = "running"
        run.events.clear()
        claim = {"run": run.id, "attempt": run.attempt, "start_after": 0, "lease_s": 10}
        claim |= {"comparison": "c0", "arm": run.arm, "seed": run.seed, "spec": run.spec}
        claim |= {"loss_digest": run.loss_digest or None}
        if run.checkpoint is not None:
            last = run.checkpoint
            claim |= {"start_after": last.step, "checkpoint": last.digest}
        return claim

    def _beat(self, name: str, attempt: int) -> Json:
        run = self.runs.get(name)
        if run is None:
            return {"current": False, "state": "cancelled", "cancel": True, "committed_seq": 0}
        run.beats[attempt] += 1
        return {
            "current": attempt == run.attempt,
            "state": run.state,
            "cancel": run.cancel,
            "committed_seq": len(run.events),
        }

    def _collect(self) -> None:
        last = b"0"
        while not self._closed.is_set():
            try:
                answer: Any = self._redis.xread({EVENT_STREAM: last}, count=1000, block=50)
            except redis.ConnectionError:
                self._closed.wait(0.1)
                continue
            for _, entries in answer or []:
                with self._lock:
                    for _, fields in entries:
                        self._take(decode(fields[EVENT_FIELD.encode()]))
                last = entries[-1][0]
                with contextlib.suppress(redis.ConnectionError):  # it is read again then
                    self._redis.xtrim(EVENT_STREAM, minid=last, approximate=False)

    def _take(self, event: Event) -> None:
        run = self.runs.get(event.run)
        if (
            run is None
            or event.attempt != run.attempt
            or run.state != "running"
            or run.drops_events
        ):
            self.dropped += 1
        elif isinstance(event, Lost):
            run.lost.append(event)
            run.state = "cancelled" if run.cancel else "queued" if len(run.lost) < 3 else "failed"
            run.attempt += run.state == "queued"
        elif event.seq != len(run.events) + 1:
            self.dropped += 1
        else:
            assert not isinstance(event, Started) or not run.series
            run.events.append(event)
            if isinstance(event, Checkpointed) and run.keeps_checkpoints:
                run.checkpoint = event
            if isinstance(event, Ended):
                run.state = event.state


def _handler(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if backend.away:  # a connection kept alive dies with its server
                self.close_connection = True
                return
            status, body = 401, None
            if self.headers["Authorization"] == f"Bearer {TOKEN}":
                status, body = backend.answer(self.path, json.loads(raw))
            sent = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self) -> None:
            """Send a blob."""
            content = backend.blobs[self.path.rpartition("/")[2]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_PUT(self) -> None:
            """Store a blob."""
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if backend.away:
                self.close_connection = True
                return
            backend.blobs[self.path.rpartition("/")[2]] = content
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler
