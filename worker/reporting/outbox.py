"""Events of one attempt that the backend has not stored yet, in order."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

LIMIT_BYTES: Final = 64 * 2**20
PATIENCE_S: Final = 2.0
"""How long stored events may stand still, with some outstanding, before they are sent again."""
MOST_PATIENCE_S: Final = 30.0
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
        self._patience = PATIENCE_S
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

    def unsent(self, most: int) -> list[Entry]:
        """The next events to send."""
        with self._changed:
            return [
                self._entries[i]
                for i in range(self._sent, min(self._sent + most, len(self._entries)))
            ]

    def sent(self, last: Entry) -> None:
        """Everything up to this entry has been sent."""
        with self._changed:
            if self._sent == 0:
                self._still_since = self._clock()
            first = self._entries[0].seq if self._entries else self.next_seq
            self._sent = max(self._sent, last.seq - first + 1)

    def send_again(self) -> None:
        """What was sent may be lost: send all that is outstanding once more."""
        with self._changed:
            self._sent = 0

    def committed(self, seq: int) -> None:
        """The backend says what it has stored; asks for a resend if that stands still too long."""
        with self._changed:
            before = len(self._entries)
            while self._entries and self._entries[0].seq <= seq:
                self._bytes -= len(self._entries.popleft().raw)
            stored = before - len(self._entries)
            now = self._clock()
            if stored:
                self._sent = max(0, self._sent - stored)
                self._still_since, self._patience = now, PATIENCE_S
                self._changed.notify_all()
            elif self._sent and now - self._still_since >= self._patience:
                self._sent = 0
                self._patience = min(2 * self._patience, MOST_PATIENCE_S)

    def wait_for_room(self, seconds: float) -> None:
        """Wait until less than the limit is outstanding, up to so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self.full, seconds)

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until everything is stored, up to so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._entries, seconds)
