"""Sends the events of one or several runs down the event stream: one thread, one connection.

Every event stays in its run's outbox until the backend says that it is stored. So neither a broker
that restarts nor a backend that is away loses one; the backend drops copies by their numbers.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contract.names import EVENT_FIELD, EVENT_STREAM
from worker.errors import ReporterError
from worker.reporting.outbox import Entry, Outbox

FLUSH_S: Final = 0.04
"""Between flushes of a run that trains alone; the promise is 0.05 s."""
BUNDLE_FLUSH_S: Final = 0.08
"""Between flushes of runs that train together, each of which sends events of its own; the promise
is 0.1 s."""
ENTRIES_PER_SEND: Final = 256
"""Entries of one run sent in one round trip."""
RETRY_S: Final = 0.25
"""Before the next try while the broker is away."""

log = logging.getLogger(__name__)


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


class Source(Protocol):
    """A run whose events are sent."""

    @property
    def outbox(self) -> Outbox:
        """Its events, in order."""

    def flush(self) -> None:
        """Turn the values collected until now into an event."""


class EventSender:
    """The thread that sends. Events that the backend has not stored are sent again after a
    connection error, or when nothing new was stored for a while."""

    def __init__(self, client: redis.Redis, *, flush_s: float = FLUSH_S) -> None:
        """Args:
        client: to send by; no other thread uses it.
        flush_s: seconds between two flushes.
        """
        self._client = client
        self._flush_s = flush_s
        self._sources: list[Source] = []
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._fault: BaseException | None = None
        self._broker_is_away = False
        self._thread = threading.Thread(target=self._send_all, name="sender", daemon=True)
        self._thread.start()

    def add(self, source: Source) -> None:
        """Send the events of a run from now on."""
        self._sources = [*self._sources, source]

    def wake(self) -> None:
        """Send at once what there is."""
        self._wake.set()

    def check(self) -> None:
        """Do nothing while the thread works.

        Raises:
            ReporterError: it has failed.
        """
        if self._fault:
            raise ReporterError(f"reporting broke down: {self._fault!r}") from self._fault

    def close(self) -> None:
        """End the thread; what is not sent by now is not sent any more."""
        self._closed.set()
        self._wake.set()
        self._thread.join()

    def _send_all(self) -> None:
        try:
            while not self._closed.is_set():
                flush_at = time.monotonic() + self._flush_s
                for source in self._sources:
                    source.flush()
                pause = 0.0 if self._send() else RETRY_S
                self._wake.wait(max(pause, flush_at - time.monotonic()))
                self._wake.clear()
        except BaseException as fault:  # noqa: BLE001 - raised again in the training loop
            self._fault = fault

    def _send(self) -> bool:
        """Send all unsent events; return False if the broker is away."""
        while batches := self._unsent():
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for _, entries in batches:
                        for entry in entries:
                            pipeline.xadd(EVENT_STREAM, {EVENT_FIELD: entry.raw})
                    answers = pipeline.execute(raise_on_error=False)
                _raise_refusal(answers)
            except redis.RedisError as error:
                for outbox, _ in batches:
                    outbox.resend_all()
                if not self._broker_is_away:
                    refused = isinstance(error, redis.ResponseError)
                    what = "refuses events" if refused else "does not answer"
                    log.warning("the broker %s, asking again: %s", what, error)
                self._broker_is_away = True
                return False
            for outbox, entries in batches:
                outbox.mark_sent(entries[-1])
            if self._broker_is_away:
                log.warning("the broker takes events again")
            self._broker_is_away = False
        return True

    def _unsent(self) -> list[tuple[Outbox, list[Entry]]]:
        found = [
            (source.outbox, source.outbox.unsent(ENTRIES_PER_SEND)) for source in self._sources
        ]
        return [(outbox, entries) for outbox, entries in found if entries]
