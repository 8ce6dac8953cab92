"""A thread that moves events from the stream into the database.

A batch is stored in one transaction, together with the stream position; only then is it
acknowledged and removed. After any failure, and at the start, what was read but not acknowledged is
read again first; what had already been stored is recognised by its seq.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from backend.db.database import Database
from backend.db.models import StreamPosition
from backend.http.times import CLOCK
from backend.ingest import event_stream, handlers
from backend.storage.blobs import Blobs
from contract import logs
from contract.events import Event, Points, decode

log = logging.getLogger(__name__)

READ_COUNT: Final = 500
BLOCK_MS: Final = 200
"""Also how long a stop may take to be noticed."""
POINTS_PER_COMMIT: Final = 5_000
"""Keeps a transaction short, so that the API's own writes do not wait long."""
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)

DecodedEntry = tuple[str, Event | None]
"""An entry's id and its event; None if it cannot be decoded."""


class Collector(threading.Thread):
    """The one reader of the event stream."""

    def __init__(
        self,
        database: Database,
        redis_url: str,
        *,
        blobs: Blobs | None = None,
        clock: Callable[[], float] = CLOCK,
    ) -> None:
        super().__init__(name="collector", daemon=True)
        self._blobs = blobs
        self.counts: Counter[str] = Counter()
        """Events taken, and events dropped by reason."""
        self.points = 0
        """Points stored since the process started."""
        self._database = database
        self._client = event_stream.connect(redis_url)
        self.on_change: Callable[[], None] = lambda: None
        """Called from this thread when a run started, ended or was lost."""
        self.on_success: Callable[[list[str]], None] = lambda _: None
        """Called from this thread with the runs that have just succeeded."""
        self._clock = clock
        self._stopped = threading.Event()
        self._done = (0, 0)

    def has_processed(self, entry: str) -> bool:
        """Return whether everything up to this entry of the stream has been processed."""
        return self._done >= event_stream.entry_order(entry)

    def stop(self) -> None:
        """Ask the thread to end; it does so within a moment."""
        self._stopped.set()

    def run(self) -> None:
        """Read and store until stopped, whatever fails meanwhile."""
        failures = 0
        while not self._stopped.is_set():
            try:
                for _ in self._batches():
                    failures = 0
            except (RedisError, OSError) as error:
                _log_failure(failures, "the broker does not answer: %s", error)
            except OperationalError as error:
                _log_failure(failures, "the database does not take events: %s", error)
            except Exception:
                log.exception("the collector failed and starts over")
            else:
                continue
            self._stopped.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1
        self._client.close()

    def _batches(self) -> Iterator[None]:
        """Store batch after batch; first those that an earlier attempt left pending."""
        delivered = event_stream.join_group(self._client)
        while entries := self._read(pending=True):
            self._store(entries)
        self._done = max(self._done, event_stream.entry_order(delivered))
        yield
        while not self._stopped.is_set():
            entries = self._read(pending=False)
            if entries:
                self._store(entries)
            yield

    def _read(self, *, pending: bool) -> list[event_stream.Entry]:
        return event_stream.read_entries(
            self._client, pending=pending, count=READ_COUNT, block_ms=BLOCK_MS
        )

    def _store(self, entries: list[event_stream.Entry]) -> None:
        for chunk in _split_by_points(
            [(entry, self._decode(entry, raw)) for entry, raw in entries]
        ):
            try:
                self._commit(chunk)
            except (RedisError, OperationalError):
                raise
            except Exception:
                # One event that the database never accepts must not hold up all others.
                log.exception("%d events could not be stored together", len(chunk))
                for one in chunk:
                    self._commit_alone(one)
            event_stream.acknowledge(self._client, [entry for entry, _ in chunk])
            self._done = max(self._done, event_stream.entry_order(chunk[-1][0]))

    def _commit(self, chunk: list[DecodedEntry]) -> None:
        events = [event for _, event in chunk if event is not None]
        position = max(self._database.position, chunk[-1][0], key=event_stream.entry_order)
        with self._database.write() as write:
            counts = handlers.store_events(write, events, self._clock())
            write.session.merge(StreamPosition(entry=position))
            write.position = position
        if self._blobs is not None:
            # A checkpoint's bytes belong to one run at one moment, so no other row will name them.
            self._blobs.delete(write.unused_blobs, time.time())  # as files are dated
        self.counts += counts
        self.points += sum(
            len(steps) for update in write.updates.values() for steps, _ in update.points.values()
        )
        if any(not isinstance(event, Points) for event in events):
            self.on_change()
        succeeded = [
            run.id
            for update in write.updates.values()
            for run in update.runs.values()
            if run.state == "succeeded"
        ]
        if succeeded:
            self.on_success(succeeded)

    def _commit_alone(self, one: DecodedEntry) -> None:
        try:
            self._commit([one])
        except (RedisError, OperationalError):
            raise
        except Exception as error:
            fields = {} if one[1] is None else logs.attempt_fields(one[1].run, one[1].attempt)
            log.exception("event %s cannot be stored and is dropped", one[0], extra=fields)
            self.counts["unstorable"] += 1
            if one[1] is not None:
                self._give_up(one[1], error)

    def _give_up(self, event: Event, error: Exception) -> None:
        """Fail the event's run: otherwise the event would be sent again and again."""
        with self._database.write() as write:
            ended = handlers.fail_run(write, event, f"{error!r:.300}", self._clock())
        if ended:
            self.on_change()

    def _decode(self, entry: str, raw: bytes | None) -> Event | None:
        try:
            return decode(raw or b"")
        except ValidationError as error:
            self.counts["undecodable"] += 1
            log.warning("entry %s is no event and is dropped: %.300s", entry, error)
            return None


def _split_by_points(entries: list[DecodedEntry]) -> Iterator[list[DecodedEntry]]:
    """Split entries into parts so that no transaction gets too long."""
    chunk: list[DecodedEntry] = []
    size = 0
    for entry in entries:
        chunk.append(entry)
        if isinstance(entry[1], Points):
            size += sum(len(column.steps) for column in entry[1].series)
        if size >= POINTS_PER_COMMIT:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _log_failure(failures: int, message: str, error: Exception) -> None:
    """Log the first failure of a series as a warning; repetitions only for debugging."""
    log.log(logging.WARNING if not failures else logging.DEBUG, message, error)
