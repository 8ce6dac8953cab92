"""How often somebody may try tokens that are none."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

MOST: Final = 10
WITHIN_S: Final = 60.0
ADDRESSES: Final = 10_000
"""Addresses that are remembered; beyond, the one that came first is forgotten."""


class Attempts:
    """Counts what failed lately, by the address that it came from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}

    def wait_s(self, address: str) -> float:
        """Seconds until the address may try again; 0 where it may now."""
        failed = self._failed.get(address)
        now = self._clock()
        while failed and now - failed[0] >= WITHIN_S:
            failed.popleft()
        return WITHIN_S - (now - failed[0]) if failed and len(failed) >= MOST else 0.0

    def failed(self, address: str) -> None:
        """Remember one that failed."""
        if address not in self._failed and len(self._failed) >= ADDRESSES:
            del self._failed[next(iter(self._failed))]
        self._failed.setdefault(address, deque(maxlen=MOST)).append(self._clock())
