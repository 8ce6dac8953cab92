"""The present time, on a clock that never jumps, and times as answers carry them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends

MIN_JUMP_S: Final = 1.0
"""Smaller differences to the machine's clock are left as they are."""


class SteadyClock:
    """Seconds since the epoch, which pass as on a monotonic clock.

    Somebody, or a time server, may set the machine's clock while a run is running: a difference of
    two times of this clock is a duration all the same. `follow` makes it agree with the machine's
    clock again; whoever calls that moves the times that are still subtracted from.
    """

    def __init__(
        self,
        machine: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        machine: seconds since the epoch, by the machine's clock.
        monotonic: seconds that pass while the machine works.
        """
        self.machine = machine
        self.monotonic = monotonic
        self._offset = machine() - monotonic()

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return self.monotonic() + self._offset

    def jump(self) -> float:
        """Return by how many seconds the machine's clock was set since the last `follow`: forwards,
        also where the machine slept, or backwards; 0 if it was not."""
        difference = self.machine() - self()
        return difference if abs(difference) >= MIN_JUMP_S else 0.0

    def follow(self, jump: float) -> None:
        """Move on by that many seconds."""
        self._offset += jump


CLOCK: Final = SteadyClock()
"""The clock of this process."""


async def now() -> float:
    """Return the seconds since the epoch, by the clock of this process."""
    return CLOCK()


Now = Annotated[float, Depends(now)]


def iso(seconds: float) -> str:
    """Return a time since the epoch in ISO 8601, UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
