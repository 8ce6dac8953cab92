"""How far something is, for whoever waits at a command line."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

REDRAW_S: Final = 0.1
"""On a terminal, whose line is written over."""
REPEAT_S: Final = 10.0
"""Elsewhere, as in a log, where each line stays."""
CLEAR: Final = "\r\x1b[K"


class ProgressLine:
    """A Progress that keeps one line of a terminal up to date, or writes a line now and then."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._terminal = out.isatty()
        self._what = ""
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the terminal's line empty."""
        if self._terminal and self._what:
            self._write(CLEAR)

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Show it, if the work is new or the last line is old."""
        now = self._clock()
        wait = REDRAW_S if self._terminal else REPEAT_S
        if what == self._what and now - self._shown_at < wait:
            return
        self._what, self._shown_at = what, now
        line = what + _share(done, total, unit)
        self._write(f"{CLEAR}{line}" if self._terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _share(done: float, total: float | None, unit: str) -> str:
    """How much of it is done, in words; nothing at the start."""
    if not done:
        return ""
    scale, name = (1e6, "MB") if unit == "bytes" else (1.0, unit)
    if not total:
        return f": {done / scale:,.0f} {name}"
    return f": {done / total:.0%} of {total / scale:,.0f} {name}"
