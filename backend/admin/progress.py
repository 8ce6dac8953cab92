"""Report the progress of a long command on stderr."""

import sys
import time
from collections.abc import Callable
from typing import Final, Protocol

TERMINAL_PERIOD_S: Final = 0.5
"""Seconds between two reports on a terminal, where a line is overwritten."""
FILE_PERIOD_S: Final = 10.0
"""Seconds between two reports to a file or a pipe, where every line stays."""


class ReportProgress(Protocol):
    """Called with how much is done of how much, in any unit."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Report the progress."""


CountBytes = Callable[[int], None]
"""Called with the number of further bytes."""


def ignore_progress(what: str, done: int, total: int) -> None:
    """Do nothing; for callers that need no progress."""


class ProgressLine:
    """One line on stderr, updated from time to time, with the time that is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._what = ""
        self._began = self._told = 0.0
        self._terminal = sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Print the progress, unless the last report was a moment ago."""
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._told = what, now, now
        if now - self._told < (TERMINAL_PERIOD_S if self._terminal else FILE_PERIOD_S):
            return
        self._told = now
        line = f"{what}: {100 * done / max(1, total):.0f} %{self._left(now, done, total)}"
        sys.stderr.write(f"\r{line:<70}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def print_line(self, line: str) -> None:
        """Print a line that stays."""
        sys.stderr.write(f"\r{line:<70}\n" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def _left(self, now: float, done: int, total: int) -> str:
        if not 0 < done < total:
            return ""
        left = (now - self._began) * (total - done) / done
        return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"


def byte_counter(report: ReportProgress, what: str, total: int) -> CountBytes:
    """Return a function that adds up bytes and reports the sum as progress towards `total`."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(what, done, total)

    return count


def format_size(count: int) -> str:
    """Format a number of bytes for a person."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
