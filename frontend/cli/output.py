"""What the commands print, results on stdout and all else on stderr, and their exit statuses."""

import shutil
import sys
from typing import Final, TextIO

BAR_WIDTH: Final = 30
"""Width of the progress bar in characters."""

LINE_EVERY: Final = 0.05
"""Progress between two lines where the output is not a terminal."""


def printable(text: str) -> str:
    """Return a text without control characters, which could change the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def print_message(text: str) -> None:
    """Print one line for people on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_result(text: str) -> None:
    """Print one line of the result on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Progress:
    """The progress of runs: one changing line on a terminal, else a new line from time to time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moving = stream.isatty()
        self._last = ""
        self._shown = -1.0
        self._head = ""

    def show(self, head: str, share: float, tail: str) -> None:
        """Show the progress.

        Args:
            head: text after the bar; outside a terminal, a new text always prints a line.
            share: the progress, from 0 to 1.
            tail: text at the end of the line.
        """
        filled = round(share * BAR_WIDTH)
        bar = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}]"
        line = f"{bar} {head}  {share:4.0%}  {tail}".rstrip()
        if self._moving:
            room = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r{line[:room]}\x1b[K")
            self._stream.flush()
        elif head != self._head or share >= self._shown + LINE_EVERY or share >= 1 > self._shown:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            self._head, self._shown = head, share
        self._last = line

    def end(self) -> None:
        """End the line, so that the next output begins a new one."""
        if self._moving and self._last:
            self._stream.write("\n")
            self._stream.flush()
        self._last = ""


EXIT_OK: Final = 0
EXIT_RUN_FAILED: Final = 1
"""A run failed or was cancelled."""
EXIT_WRONG_INPUT: Final = 2
"""The spec or the command line is wrong."""
EXIT_API_AWAY: Final = 3
"""The API cannot be reached, or cannot answer now."""
EXIT_INTERRUPTED: Final = 130
"""Ended by Ctrl-C; the number is the shells' convention."""
