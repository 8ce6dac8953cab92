"""Which running attempts have shown a sign of life lately.

Deadlines are monotonic and live in this process alone: exactly one API process may serve a
database. After its start every running run gets one full lease.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Lease:
    """One attempt's time until its worker counts as dead."""

    run: str
    attempt: int
    deadline: float
    strike: bool = True
    """Whether its lapse counts against the run; not if no heartbeat reached this process, for
    then the fault may be this process's absence."""
    tail: str | None = None
    """The stream's last entry when the lapse was noticed."""


class Leases:
    """All leases; safe to use from any thread."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def grant(self, run: str, attempt: int, *, strike: bool = True) -> None:
        """Start or renew an attempt's lease."""
        lease = Lease(run, attempt, self._clock() + self.seconds, strike)
        with self._lock:
            self._leases[run] = lease

    def end(self, lease: Lease) -> None:
        """Forget a lease, unless it was renewed meanwhile."""
        with self._lock:
            if self._leases.get(lease.run) is lease:
                del self._leases[lease.run]

    def lapsed(self) -> list[Lease]:
        """Leases whose deadline has passed."""
        now = self._clock()
        with self._lock:
            return [lease for lease in self._leases.values() if lease.deadline <= now]

    def holds(self, lease: Lease) -> bool:
        """Whether the lease has not been renewed or ended since."""
        with self._lock:
            return self._leases.get(lease.run) is lease
