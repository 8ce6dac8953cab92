"""Words for states, durations and counts that several pages show."""

import re
from typing import Final

STATE_TEXTS: Final = {
    "queued": "◌ queued",
    "running": "▶ running",
    "succeeded": "✓ succeeded",
    "failed": "✕ failed",
    "cancelled": "◼ cancelled",
}
"""State -> a sign and a word, so that a state is not shown by colour alone."""

OPEN_STATES: Final = ("queued", "running")
"""States of a run or comparison that can still change."""


def duration(seconds: float | None) -> str:
    """Return a duration as text in one unit; "" if unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def escape_markdown(text: str) -> str:
    """Return Markdown that shows a text unchanged."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def page_count(total: int, page_size: int) -> int:
    """Return the number of pages of a list, at least one."""
    return max(1, -(-total // page_size))
