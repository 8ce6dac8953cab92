"""The reporter of a real run: numbers its events and sends them down the event stream.

Every event stays in an outbox until the backend says that it is stored. So neither a broker that
restarts nor a backend that is away loses one; the backend drops copies by their numbers.
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
    Noticed,
    Preparation,
    Preparing,
    Snapshot,
    Started,
    encode,
)
from contract.metrics.states import State
from contract.metrics.versions import run_versions
from contract.names import EVENT_FIELD, EVENT_STREAM
from worker.errors import ReporterError
from worker.reporting import signs_of_life
from worker.reporting.reporter import EndState, finite_or_none

LIMIT_BYTES: Final = 64 * 2**20
"""Bytes of events not stored yet above which the training waits."""
RESEND_AFTER_S: Final = 2.0
"""Time without a newly stored event, while some are outstanding, before they are sent again."""
MAX_RESEND_AFTER_S: Final = 30.0
"""That time doubles at each resend, up to this: more copies do not help a slow backend."""
FLUSH_S: Final = 0.04
"""Between flushes; the promise is 0.05 s."""
ENTRIES_PER_SEND: Final = 256
"""Entries sent in one round trip."""
RETRY_S: Final = 0.25
"""Before the next try while the broker is away."""
POLL_S: Final = 0.2
"""Between two looks at whether the sending thread has failed."""

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """One numbered event, encoded."""

    seq: int
    raw: bytes


class Outbox:
    """The events of one attempt that the backend has not stored yet, in order; thread-safe.

    An event leaves when the backend says that it is stored, not when it is sent.
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
        self._last_stored_at = clock()
        self._changed = threading.Condition()

    @property
    def next_seq(self) -> int:
        """Number of the event that is put next."""
        return self._last_seq + 1

    @property
    def full(self) -> bool:
        """Whether more bytes are outstanding than the limit."""
        return self._bytes > self._limit

    def put(self, raw: bytes) -> None:
        """Append an event; only one thread at a time may do so."""
        with self._changed:
            self._last_seq += 1
            self._entries.append(Entry(self._last_seq, raw))
            self._bytes += len(raw)

    def unsent(self, limit: int) -> list[Entry]:
        """Return the next events to send, at most `limit`."""
        with self._changed:
            return [
                self._entries[i]
                for i in range(self._sent, min(self._sent + limit, len(self._entries)))
            ]

    def mark_sent(self, last: Entry) -> None:
        """Note that all entries up to this one have been sent."""
        with self._changed:
            if self._sent == 0:
                self._last_stored_at = self._clock()
            first = self._entries[0].seq if self._entries else self.next_seq
            self._sent = max(self._sent, last.seq - first + 1)

    def resend_all(self) -> None:
        """Send all outstanding events again, because what was sent may be lost."""
        with self._changed:
            self._sent = 0

    def mark_stored(self, seq: int) -> None:
        """Drop the events up to number `seq`, which the backend has stored; send the others again
        if nothing new was stored for too long."""
        with self._changed:
            before = len(self._entries)
            while self._entries and self._entries[0].seq <= seq:
                self._bytes -= len(self._entries.popleft().raw)
            stored = before - len(self._entries)
            now = self._clock()
            if stored:
                self._sent = max(0, self._sent - stored)
                self._last_stored_at, self._resend_after = now, RESEND_AFTER_S
                self._changed.notify_all()
            elif self._sent and now - self._last_stored_at >= self._resend_after:
                self._sent = 0
                self._resend_after = min(2 * self._resend_after, MAX_RESEND_AFTER_S)

    def wait_for_room(self, seconds: float) -> None:
        """Wait up to a number of seconds until less than the limit is outstanding."""
        with self._changed:
            self._changed.wait_for(lambda: not self.full, seconds)

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait up to a number of seconds until all is stored; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._entries, seconds)


def connect_to_broker(url: str, *, timeout: float) -> redis.Redis:
    """Return a Redis client that does not retry, so that its user decides what to send again."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def _raise_refusal(answers: Sequence[object]) -> None:
    """Raise the first refusal among a pipeline's answers, in the broker's own words.

    Raises:
        redis.ResponseError: such as "command not allowed when used memory > 'maxmemory'".
    """
    for answer in answers:
        if isinstance(answer, redis.ResponseError):
            raise answer


class StreamReporter:
    """A Reporter that sends events from a separate thread; the training loop only appends.

    Values collect in columns until the next flush, and then become one numbered event. Events that
    the backend has not stored are sent again after a connection error, or when nothing new was
    stored for a while. While too much is outstanding, `points` waits, until `lift_limit` is called.
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
        self._broker_is_away = False
        self._thread = threading.Thread(target=self._send_all, name="reporter", daemon=True)
        self._thread.start()

    def preparing(self, preparation: Preparation) -> None:
        """Report how far the work before the first step is."""
        self._write(
            lambda seq: encode(
                Preparing(run=self._run, attempt=self._attempt, seq=seq, preparation=preparation)
            )
        )

    def started(
        self,
        *,
        device: str,
        total_steps: int,
        steps_per_epoch: int,
        after: int = 0,
        splits: Mapping[str, int] | None = None,
    ) -> None:
        """Report that everything is built; the step after `after` comes next."""
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
                    versions=run_versions(),
                    splits=dict(splits or {}),
                )
            )
        )

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Report values measured after `step` steps; waits while too much is outstanding."""
        while self._outbox.full and not self._unlimited.is_set():
            self._check()
            signs_of_life.sign("waiting until what was measured is stored")
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

    def noticed(self, state: State, step: int, message: str, *, over: bool = False) -> None:
        """Report that the run is in a state since a step, or that it has left it."""
        self._write(
            lambda seq: encode(
                Noticed(
                    run=self._run,
                    attempt=self._attempt,
                    seq=seq,
                    state=state,
                    step=step,
                    message=message,
                    over=over,
                )
            )
        )

    def log(self, lines: Sequence[str]) -> None:
        """Add lines to the run's log."""
        self._write(
            lambda seq: encode(
                Log(run=self._run, attempt=self._attempt, seq=seq, lines=list(lines))
            )
        )

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """Report a snapshot whose blobs are stored."""
        self._write(
            lambda seq: encode(
                Kept(run=self._run, attempt=self._attempt, seq=seq, snapshot=snapshot)
            )
        )

    def checkpoint_stored(self, step: int, digest: str) -> None:
        """Report a stored checkpoint, after all values up to its step."""
        self._write(
            lambda seq: encode(
                Checkpointed(
                    run=self._run, attempt=self._attempt, seq=seq, step=step, digest=digest
                )
            )
        )

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """Report the end of the run."""
        self._write(
            lambda seq: encode(
                Ended(run=self._run, attempt=self._attempt, seq=seq, state=state, failure=failure)
            )
        )

    def mark_stored(self, seq: int) -> None:
        """Note that the backend has stored all events up to number `seq`."""
        self._outbox.mark_stored(seq)

    def lift_limit(self) -> None:
        """Accept events beyond the limit from now on: the run ends soon, and few still come."""
        self._unlimited.set()

    def close(self) -> None:
        """Wait until everything is stored, also while the backend is away.

        Raises:
            ReporterError: the sending thread failed.
        """
        while not self._outbox.wait_until_empty(POLL_S):
            self._check()
            signs_of_life.sign("waiting until the end is stored")
        self._closed.set()
        self._wake.set()
        self._thread.join()

    def _check(self) -> None:
        if self._fault:
            raise ReporterError(f"reporting broke down: {self._fault!r}") from self._fault

    def _write(self, make: Callable[[int], bytes]) -> None:
        """Put one event after the values so far and send it at once."""
        self._check()
        with self._writing:
            self._flush_columns()
            self._outbox.put(make(self._outbox.next_seq))
        self._wake.set()

    def _flush_columns(self) -> None:
        """Turn the collected columns into one event; the caller holds the writing lock."""
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
                    self._flush_columns()
                pause = 0.0 if self._send() else RETRY_S
                self._wake.wait(max(pause, flush_at - time.monotonic()))
                self._wake.clear()
        except BaseException as fault:  # noqa: BLE001 - raised again in the training loop
            self._fault = fault

    def _send(self) -> bool:
        """Send all unsent events; return False if the broker is away."""
        while entries := self._outbox.unsent(ENTRIES_PER_SEND):
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for entry in entries:
                        pipeline.xadd(EVENT_STREAM, {EVENT_FIELD: entry.raw})
                    answers = pipeline.execute(raise_on_error=False)
                _raise_refusal(answers)
            except redis.RedisError as error:
                self._outbox.resend_all()
                if not self._broker_is_away:
                    refused = isinstance(error, redis.ResponseError)
                    what = "refuses events" if refused else "does not answer"
                    log.warning("the broker %s, asking again: %s", what, error)
                self._broker_is_away = True
                return False
            self._outbox.mark_sent(entries[-1])
            if self._broker_is_away:
                log.warning("the broker takes events again")
            self._broker_is_away = False
        return True
