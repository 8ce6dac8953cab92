"""How far the work before the first step is: told now and then, and stopped by a cancel."""

import time
from collections.abc import Callable
from typing import Final

from contract.events import Preparation
from worker.errors import CancelledError
from worker.reporting.reporter import Reporter

TELL_S: Final = 0.25
"""Between two words about the same work."""


class Preparing:
    """A Progress that reports to a run's viewers."""

    def __init__(
        self,
        reporter: Reporter,
        cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._cancelled = cancelled
        self._clock = clock
        self._what = ""
        self._began = 0.0
        self._first = 0.0
        """How much was done when this work began, e.g. of a download that is taken up again."""
        self._told = 0.0

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Say how far it is; new work and its end are told at once.

        Raises:
            CancelledError: the run was cancelled.
        """
        if self._cancelled():
            raise CancelledError(f"cancelled while {what}")
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._first = what, now, done
        elif done != total and now - self._told < TELL_S:
            return
        self._told = now
        pace = (done - self._first) / (now - self._began) if now > self._began else 0.0
        eta_s = (total - done) / pace if total is not None and total >= done and pace > 0 else None
        self._reporter.preparing(
            Preparation(what=what, done=done, total=total, unit=unit, eta_s=eta_s)
        )
