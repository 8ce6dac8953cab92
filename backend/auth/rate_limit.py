"""How fast somebody may go: a bucket each that fills at a steady pace."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class _Bucket:
    full: float
    at: float


class Pace:
    """At most so many at once, and so many a minute from then on, for each key."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """A pace of 0 lets everything through.

        Args:
            per_minute: how many; as many may come at once.
            clock: seconds that only grow.
        """
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, key: str) -> float:
        """Take one; 0, or the seconds until there is one, and then none was taken."""
        if not self._per_minute:
            return 0.0
        now = self._clock()
        most = max(1.0, self._per_minute)
        bucket = self._buckets.setdefault(key, _Bucket(most, now))
        bucket.full = min(most, bucket.full + (now - bucket.at) * self._per_minute / 60)
        bucket.at = now
        if bucket.full < 1:
            return (1 - bucket.full) * 60 / self._per_minute
        bucket.full -= 1
        return 0.0
