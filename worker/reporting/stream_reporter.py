"""The reporter of a real run: numbers what it is told and sends it down the event stream.

Events of one attempt that the backend has not stored yet, in order.
"""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

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
from worker.reporting.reporter import EndState, finite_or_none

LIMIT_BYTES: Final = 64 * 2**20
RESEND_AFTER_S: Final = 2.0
"""How long stored events may stand still, with some outstanding, before they are sent again."""
MAX_RESEND_AFTER_S: Final = 30.0
"""More copies do not help a backend that is only slow: the patience doubles up to this."""


class Entry(NamedTuple):
    """One numbered event, encoded."""

    seq: int
    raw: bytes


class Outbox:
    """A window from the first event not stored to the last one written; safe between threads.

    Events leave it when the backend says that they are stored, never by being sent.
    """

    def __init__(
        self, *, limit_bytes: int = LIMIT_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit_bytes
        self._clock = clock
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._sent = 0  # how many of the entries, from the left
        self._last_seq = 0
        self._resend_after = RESEND_AFTER_S
        self._still_since = clock()
        self._changed = threading.Condition()

    @property
    def next_seq(self) -> int:
        """The number of the event that `put` takes next."""
        return self._last_seq + 1

    @property
    def full(self) -> bool:
        """Whether more is outstanding than the limit."""
        return self._bytes > self._limit

    def put(self, raw: bytes) -> None:
        """Append an event; one writer only."""
        with self._changed:
            self._last_seq += 1
            self._entries.append(Entry(self._last_seq, raw))
            self._bytes += len(raw)

    def unsent(self, limit: int) -> list[Entry]:
        """The next events to send."""
        with self._changed:
            return [
                self._entries[i]
                for i in range(self._sent, min(self._sent + limit, len(self._entries)))
            ]

    def mark_sent(self, last: Entry) -> None:
        """Everything up to this entry has been sent."""
        with self._changed:
            if self._sent == 0:
                self._still_since = self._clock()
            first = self._entries[0].seq if self._entries else self.next_seq
            self._sent = max(self._sent, last.seq - first + 1)

    def resend_all(self) -> None:
        """What was sent may be lost: send all that is outstanding once more."""
        with self._changed:
            self._sent = 0

    def mark_stored(self, seq: int) -> None:
        """The backend says what it has stored; asks for a resend if that stands still too long."""
        with self._changed:
            before = len(self._entries)
            while self._entries and self._entries[0].seq <= seq:
                self._bytes -= len(self._entries.popleft().raw)
            stored = before - len(self._entries)
            now = self._clock()
            if stored:
                self._sent = max(0, self._sent - stored)
                self._still_since, self._resend_after = now, RESEND_AFTER_S
                self._changed.notify_all()
            elif self._sent and now - self._still_since >= self._resend_after:
                self._sent = 0
                self._resend_after = min(2 * self._resend_after, MAX_RESEND_AFTER_S)

    def wait_for_room(self, seconds: float) -> None:
        """Wait until less than the limit is outstanding, up to so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self.full, seconds)

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until everything is stored, up to so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._entries, seconds)


FLUSH_S: Final = 0.04
"""Between flushes; the promise is 0.05 s."""
ENTRIES_PER_SEND: Final = 256
"""Entries sent in one round trip."""
RETRY_S: Final = 0.25
POLL_S: Final = 0.2

log = logging.getLogger(__name__)


def connect_to_broker(url: str, *, timeout: float) -> redis.Redis:
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
        self._unlimited = threading.Event()
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
        while self._outbox.full and not self._unlimited.is_set():
            self._check()
            self._outbox.wait_for_room(POLL_S)
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

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """A snapshot whose blobs are stored."""
        self._write(
            lambda seq: encode(
                Kept(run=self._run, attempt=self._attempt, seq=seq, snapshot=snapshot)
            )
        )

    def checkpoint_stored(self, step: int, digest: str) -> None:
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

    def mark_stored(self, seq: int) -> None:
        """The backend has stored everything up to `seq`."""
        self._outbox.mark_stored(seq)

    def lift_limit(self) -> None:
        """The run is to end soon: what little still comes goes over the limit."""
        self._unlimited.set()

    def close(self) -> None:
        """Wait until everything is stored, however long the backend is away.

        Raises:
            ReporterError: the sending thread died.
        """
        while not self._outbox.wait_until_empty(POLL_S):
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
                {"key": key, "steps": steps, "values": [finite_or_none(value) for value in values]}
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
        while entries := self._outbox.unsent(ENTRIES_PER_SEND):
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for entry in entries:
                        pipeline.xadd(EVENT_STREAM, {EVENT_FIELD: entry.raw})
                    pipeline.execute()
            except redis.RedisError as error:
                self._outbox.resend_all()
                if not self._away:
                    log.warning("the broker does not answer, asking again: %s", error)
                self._away = True
                return False
            self._outbox.mark_sent(entries[-1])
            if self._away:
                log.warning("the broker answers again")
            self._away = False
        return True
