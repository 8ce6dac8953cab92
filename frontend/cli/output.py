"""What the commands print: results on stdout, all else on stderr.

How the commands end.
"""

import shutil
import sys
from typing import Final, TextIO

BAR: Final = 30
"""Characters of the progress bar."""

STEP: Final = 0.05
"""Progress after which another line is worth it where lines stay."""


def plain(text: str) -> str:
    """A text of people's without the characters that steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def say(text: str) -> None:
    """One line for people, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def give(text: str) -> None:
    """One line of the result, on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Progress:
    """How far runs are: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moving = stream.isatty()
        self._last = ""
        self._shown = -1.0
        self._head = ""

    def show(self, head: str, share: float, tail: str) -> None:
        """Show how far it is.

        Args:
            head: what stands in front; where lines stay, a new one is always shown.
            share: 0 ... 1.
            tail: what stands behind.
        """
        filled = round(share * BAR)
        bar = f"[{'#' * filled}{'.' * (BAR - filled)}]"
        line = f"{bar} {head}  {share:4.0%}  {tail}".rstrip()
        if self._moving:
            room = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r{line[:room]}\x1b[K")
            self._stream.flush()
        elif head != self._head or share >= self._shown + STEP or share >= 1 > self._shown:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            self._head, self._shown = head, share
        self._last = line

    def end(self) -> None:
        """Leave the line as it is; what is printed next begins another."""
        if self._moving and self._last:
            self._stream.write("\n")
            self._stream.flush()
        self._last = ""


FINE: Final = 0
FAILED: Final = 1
"""A run failed or was cancelled."""
WRONG: Final = 2
"""The spec or the command line is wrong."""
AWAY: Final = 3
"""The API cannot be reached, or cannot serve now."""
INTERRUPTED: Final = 130
"""By Ctrl-C, as shells have it."""
