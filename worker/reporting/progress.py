"""Progress of the work before a run's first step: downloads, decoding, computing features.

Code that takes a while gets a `Progress` and calls it, without knowing where the reports go: to the
viewers of a run, to a terminal, or nowhere.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from contract.events import Preparation
from worker.errors import CancelledError
from worker.reporting import signs_of_life
from worker.reporting.reporter import Reporter

REPORT_S: Final = 0.25
"""Between two reports to viewers about the same work."""


class Progress(Protocol):
    """Takes reports of how far some work is. Call it as often as you like: it limits the rate."""

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Report how far the work is.

        Args:
            what: the work, as "downloading cifar-10-python.tar.gz".
            done: how much of it is done.
            total: how much there is in all; None if that is not known.
            unit: of `done` and `total`: "items", "images" or "bytes".

        Raises:
            CancelledError: the run was cancelled. Do not catch it, and leave nothing half done.
        """


class _Silent:
    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        pass


SILENT: Final[Progress] = _Silent()
"""A Progress that reports nothing."""


class PreparationProgress:
    """A Progress that reports to the viewers of a run, and stops the work when it is cancelled."""

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
        self._done_at_start = 0.0
        """How much was done when this work began, for example of a download that is resumed."""
        self._reported_at = 0.0

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Report the work with its time left; its start and end at once, the rest now and then.

        Raises:
            CancelledError: the run was cancelled.
        """
        if self._cancelled():
            raise CancelledError(f"cancelled while {what}")
        signs_of_life.sign(what)
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._done_at_start = what, now, done
        elif done != total and now - self._reported_at < REPORT_S:
            return
        self._reported_at = now
        pace = (done - self._done_at_start) / (now - self._began) if now > self._began else 0.0
        eta_s = (total - done) / pace if total is not None and total >= done and pace > 0 else None
        self._reporter.preparing(
            Preparation(what=what, done=done, total=total, unit=unit, eta_s=eta_s)
        )
