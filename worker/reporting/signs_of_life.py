"""Signs of life: the main loop of a trainer says that it gets on, so that its slot sees a hang.

Code calls `begin` where another piece of work begins and `sign` wherever the work gets on, also
while it waits on purpose. Only calls from the main thread count, because background threads run on
while the main thread is stuck. In a process without a listener, such as that of somebody who uses
only the losses or measures, all calls do nothing.
"""

import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Final

from pydantic import BaseModel, ConfigDict

STEP: Final = "step"
"""The work of an optimiser step."""
REMEMBERED: Final = 100
"""Pieces of the same work whose pace is remembered."""
TELL_S: Final = 0.25
"""Between two messages to the slot about the same work."""


class Sign(BaseModel):
    """A sign of life, as the trainer sends it to its slot."""

    model_config = ConfigDict(frozen=True)

    work: str
    """What the trainer does: `STEP`, or a phrase such as "reading scores.npz"."""
    step: int | None = None
    """The optimiser step that it takes, or after which the work comes; None before the first."""
    usual_s: float | None = None
    """The longest time between two signs in recent pieces of this work; None where this is the
    first piece."""
    long: bool = False
    """Whether the work is one call of a library, which gives no sign before it returns."""


class SignsOfLife:
    """Measures the pace of the main loop, and tells signs to a listener, not too many."""

    def __init__(
        self, tell: Callable[[Sign], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Args:
        tell: takes the signs, in the main thread.
        clock: in seconds, monotonic.
        """
        self._tell = tell
        self._clock = clock
        self._work = ""
        self._step: int | None = None
        self._slowest = 0.0
        """The longest time between two signs of this piece of work."""
        self._paces: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._last = self._told = clock()

    def begin(self, work: str, step: int | None = None) -> None:
        """Begin a piece of work; the one before is over, and its pace is remembered."""
        self._note_interval()
        if self._work:
            self._paces[self._work].append(self._slowest)
        other = work != self._work
        self._work, self._step, self._slowest = work, step or self._step, 0.0
        if other or self._last - self._told >= TELL_S:
            self._tell_now()

    def sign(self, work: str | None = None) -> None:
        """Say that the work gets on; if another work is named, that one begins."""
        if work is not None and work != self._work:
            self.begin(work)
            return
        self._note_interval()
        if self._last - self._told >= TELL_S:
            self._tell_now()

    @contextlib.contextmanager
    def long_call(self) -> Iterator[None]:
        """Say that a part of the work is one long call, of which the pace says nothing."""
        self._note_interval()
        self._tell_now(long=True)
        try:
            yield
        finally:
            self._last = self._clock()
            self._tell_now()

    def _note_interval(self) -> None:
        now = self._clock()
        self._slowest = max(self._slowest, now - self._last)
        self._last = now

    def _tell_now(self, *, long: bool = False) -> None:
        self._told = self._last
        paces = self._paces.get(self._work)
        usual = max(*paces, self._slowest) if paces else None
        self._tell(Sign(work=self._work, step=self._step, usual_s=usual, long=long))


class _Process:
    """The signs of this process, if anybody listens."""

    signs: SignsOfLife | None = None


def listen(
    tell: Callable[[Sign], None] | None, clock: Callable[[], float] = time.monotonic
) -> None:
    """Pass the signs of this process on from now on; None for no longer."""
    _Process.signs = None if tell is None else SignsOfLife(tell, clock)


def begin(work: str, step: int | None = None) -> None:
    """Say that the main thread begins a piece of work, after or at an optimiser step."""
    if (signs := _of_main_thread()) is not None:
        signs.begin(work, step)


def sign(work: str | None = None) -> None:
    """Say that the main thread gets on; if another work than before is named, that one begins."""
    if (signs := _of_main_thread()) is not None:
        signs.sign(work)


@contextlib.contextmanager
def long_call() -> Iterator[None]:
    """Say that the main thread makes one call that may take long and gives no sign meanwhile."""
    signs = _of_main_thread()
    with contextlib.nullcontext() if signs is None else signs.long_call():
        yield


def _of_main_thread() -> SignsOfLife | None:
    if _Process.signs is None or threading.current_thread() is not threading.main_thread():
        return None
    return _Process.signs
