"""The events of one attempt that the backend has not stored yet."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

LIMIT_BYTES: Final = 64 * 2**20
"""Bytes of events not stored yet above which the training waits."""
RESEND_AFTER_S: Final = 2.0
"""Time without a newly stored event, while some are outstanding, before they are sent again."""
MAX_RESEND_AFTER_S: Final = 30.0
"""That time doubles at each resend, up to this: more copies do not help a slow backend."""


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
        self._discards = False
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
            if self._discards:
                return
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

    def discard(self) -> None:
        """Drop all events, those to come too: the backend takes no more of this attempt."""
        with self._changed:
            self._discards = True
            self._entries.clear()
            self._bytes = self._sent = 0
            self._changed.notify_all()

    def wait_for_room(self, seconds: float) -> None:
        """Wait up to a number of seconds until less than the limit is outstanding."""
        with self._changed:
            self._changed.wait_for(lambda: not self.full, seconds)

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait up to a number of seconds until all is stored; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._entries, seconds)
