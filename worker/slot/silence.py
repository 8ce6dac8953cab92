"""How long a trainer may give no sign of life, and whether one has hung."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from worker.reporting.signs_of_life import STEP, Sign

FLOOR_S: Final = 60.0
"""Shortest silence that counts as a hang: a busy machine may stop a trainer for seconds."""
FACTOR: Final = 20.0
"""Silence that counts as a hang, in multiples of the longest time that the same work has needed
from one sign to the next."""
LONG_CALLS: Final = 6.0
"""The same for one call of a library that gives no sign meanwhile, in multiples of the limit."""
MAX_TICK_S: Final = 5.0
"""Most seconds that count between two looks. More pass where the whole machine was suspended, the
trainer too; a heartbeat to an API that is away takes less."""
CAUSE: Final = (
    "It is stopped or deadlocked, or waits for a file, disk or device that does not answer. "
    "LOSSBOARD_HANG_S of the worker sets how long that may take; see docs/OPERATIONS.md."
)


class Signalling(Protocol):
    """A trainer, as far as its signs of life go."""

    @property
    def signs(self) -> int:
        """How many signs have come since it took its run."""

    @property
    def last_sign(self) -> Sign | None:
        """The last one."""

    @property
    def is_warm(self) -> bool:
        """Whether it has imported everything."""


class Silence:
    """Measures how long one trainer has been silent, from the moment when it gets its run."""

    def __init__(
        self,
        trainer: Signalling,
        limit_s: float,
        *,
        floor_s: float = FLOOR_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        trainer: to watch.
        limit_s: longest silence, however slow the trainer is; 0 for no limit at all.
        floor_s: shortest silence that counts, however fast it is.
        clock: in seconds, monotonic.
        """
        self._trainer = trainer
        self._limit = limit_s
        self._floor = min(floor_s, limit_s)
        self._clock = clock
        self._looked = clock()
        self._signs = trainer.signs
        self._silent_s = 0.0

    def hang(self) -> str | None:
        """Look at the trainer; return what was seen if it has been silent for too long, for people.

        Call it often.
        """
        now = self._clock()
        passed, self._looked = min(now - self._looked, MAX_TICK_S), now
        if self._trainer.signs != self._signs:
            self._signs, self._silent_s = self._trainer.signs, 0.0
            return None
        self._silent_s += passed
        sign = self._trainer.last_sign
        if not self._limit or self._silent_s < self._allowed_s(sign):
            return None
        return f"no sign of life from the trainer for {self._silent_s:.0f} s{_where(sign)}"

    def _allowed_s(self, sign: Sign | None) -> float:
        if sign is None:
            # A warm trainer has only to read its run; another one imports torch first.
            return self._floor if self._trainer.is_warm else self._limit
        if sign.long:
            return LONG_CALLS * self._limit
        if sign.usual_s is None:
            return self._limit
        return min(self._limit, max(self._floor, FACTOR * sign.usual_s))


def _where(sign: Sign | None) -> str:
    """Return at which work it fell silent, and its pace before, as the end of a sentence."""
    if sign is None:
        return " after it was given its run"
    pace = "" if sign.usual_s is None else f"{_seconds(sign.usual_s)} s"
    if sign.work == STEP:
        return f" since step {sign.step}" + (pace and f"; its steps took at most {pace}")
    after = "" if sign.step is None else f" since step {sign.step}"
    return f"{after}, at this work: {sign.work}" + (pace and f"; it never took longer than {pace}")


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2g}"
