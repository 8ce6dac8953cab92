"""The reporter of a real run: numbers what it is told and sends it down the event stream."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contract.events import (
    VERSION,
    Checkpointed,
    Ended,
    Failure,
    Kept,
    Log,
    Preparation,
    Preparing,
    Snapshot,
    Started,
    encode,
)
from contract.names import EVENT_FIELD, EVENT_STREAM
from worker.errors import ReporterError
from worker.reporting.outbox import Outbox
from worker.reporting.reporter import EndState, finite

FLUSH_S: Final = 0.04
"""Between flushes; the promise is 0.05 s."""
PIPELINE: Final = 256
"""Entries sent in one round trip."""
RETRY_S: Final = 0.25
LOOK_S: Final = 0.2

log = logging.getLogger(__name__)


def connect(url: str, *, timeout: float) -> redis.Redis:
    """A client that fails at once, so that its user decides what to send again."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


class StreamReporter:
    """Sends from a thread of its own; the loop only appends.

    Values collect in columns until the next flush, then become one numbered event. All that the
    backend has not stored is kept and sent again after a connection error, or when what is stored
    stands still. While too much is outstanding, `points` waits, until `hurry` is called.
    """

    def __init__(self, run: str, attempt: int, client: redis.Redis, outbox: Outbox) -> None:
        self._run = run
        self._attempt = attempt
        self._client = client
        self._outbox = outbox
        self._columns: dict[str, tuple[list[int], list[float]]] = {}
        self._step = 0
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._hurried = threading.Event()
        self._fault: BaseException | None = None
        self._away = False
        self._thread = threading.Thread(target=self._send_all, name="reporter", daemon=True)
        self._thread.start()

    def preparing(self, preparation: Preparation) -> None:
        """How far something is that comes before the first step."""
        self._write(
            lambda seq: encode(
                Preparing(run=self._run, attempt=self._attempt, seq=seq, preparation=preparation)
            )
        )

    def started(
        self, *, device: str, total_steps: int, steps_per_epoch: int, after: int = 0
    ) -> None:
        """Everything is built; the step behind `after` comes next."""
        self._write(
            lambda seq: encode(
                Started(
                    run=self._run,
                    attempt=self._attempt,
                    seq=seq,
                    device=device,
                    total_steps=total_steps,
                    steps_per_epoch=steps_per_epoch,
                    after=after,
                )
            )
        )

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Values measured after `step` steps; waits while too much is outstanding."""
        while self._outbox.full and not self._hurried.is_set():
            self._check()
            self._outbox.wait_for_room(LOOK_S)
        self._check()
        with self._writing:
            self._step = step
            for key, value in values.items():
                column = self._columns.get(key)
                if column is None:
                    column = self._columns[key] = ([], [])
                column[0].append(step)
                column[1].append(value)

    def log(self, lines: Sequence[str]) -> None:
        """Lines for the run's log."""
        self._write(
            lambda seq: encode(
                Log(run=self._run, attempt=self._attempt, seq=seq, lines=list(lines))
            )
        )

    def kept(self, snapshot: Snapshot) -> None:
        """A snapshot whose blobs are stored."""
        self._write(
            lambda seq: encode(
                Kept(run=self._run, attempt=self._attempt, seq=seq, snapshot=snapshot)
            )
        )

    def checkpointed(self, step: int, digest: str) -> None:
        """A checkpoint is stored, and all up to its step has been reported."""
        self._write(
            lambda seq: encode(
                Checkpointed(
                    run=self._run, attempt=self._attempt, seq=seq, step=step, digest=digest
                )
            )
        )

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """The run is over."""
        self._write(
            lambda seq: encode(
                Ended(run=self._run, attempt=self._attempt, seq=seq, state=state, failure=failure)
            )
        )

    def committed(self, seq: int) -> None:
        """The backend has stored everything up to `seq`."""
        self._outbox.committed(seq)

    def hurry(self) -> None:
        """The run is to end soon: what little still comes goes over the limit."""
        self._hurried.set()

    def close(self) -> None:
        """Wait until everything is stored, however long the backend is away.

        Raises:
            ReporterError: the sending thread died.
        """
        while not self._outbox.wait_until_empty(LOOK_S):
            self._check()
        self._closed.set()
        self._wake.set()
        self._thread.join()

    def _check(self) -> None:
        if self._fault:
            raise ReporterError(f"reporting broke down: {self._fault!r}") from self._fault

    def _write(self, make: Callable[[int], bytes]) -> None:
        """Put one event behind the values so far and send it at once."""
        self._check()
        with self._writing:
            self._seal()
            self._outbox.put(make(self._outbox.next_seq))
        self._wake.set()

    def _seal(self) -> None:
        """Make the collected columns one event; the writing lock is held."""
        if not self._columns:
            return
        columns, self._columns = self._columns, {}
        event = {
            "v": VERSION,
            "kind": "points",
            "run": self._run,
            "attempt": self._attempt,
            "seq": self._outbox.next_seq,
            "step": self._step,
            "series": [
                {"key": key, "steps": steps, "values": [finite(value) for value in values]}
                for key, (steps, values) in columns.items()
            ],
        }
        self._outbox.put(json.dumps(event, separators=(",", ":"), allow_nan=False).encode())

    def _send_all(self) -> None:
        try:
            while not self._closed.is_set():
                flush_at = time.monotonic() + FLUSH_S
                with self._writing:
                    self._seal()
                pause = 0.0 if self._send() else RETRY_S
                self._wake.wait(max(pause, flush_at - time.monotonic()))
                self._wake.clear()
        except BaseException as fault:  # noqa: BLE001 - told to the loop, which raises it
            self._fault = fault

    def _send(self) -> bool:
        """Send all that is unsent; False while the broker is away."""
        while entries := self._outbox.unsent(PIPELINE):
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for entry in entries:
                        pipeline.xadd(EVENT_STREAM, {EVENT_FIELD: entry.raw})
                    pipeline.execute()
            except redis.RedisError as error:
                self._outbox.send_again()
                if not self._away:
                    log.warning("the broker does not answer, asking again: %s", error)
                self._away = True
                return False
            self._outbox.sent(entries[-1])
            if self._away:
                log.warning("the broker answers again")
            self._away = False
        return True
