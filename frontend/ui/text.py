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

_NOTHING: Final = ":small[]"
"""Markdown of Streamlit for an empty element."""

OPEN_STATES: Final = ("queued", "running")
"""States of a run or comparison that can still change."""

AT_ONCE_S: Final = 1.0
"""A start sooner than this is said to be at once."""


def duration(seconds: float | None) -> str:
    """Return a duration as text in one unit; "" if unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def start_text(seconds: float) -> str:
    """Return when something starts that many seconds from now."""
    return "starts at once" if seconds < AT_ONCE_S else f"starts in about {duration(seconds)}"


def escape_markdown(text: str) -> str:
    """Return Markdown that shows a text unchanged: without markup, and addresses without links."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    # Addresses become links even if they are escaped, but not if they are cut in two: by an
    # element without content, as a character would be copied along with the text.
    return re.sub(r"(?i)(?<=www)(?=\\\.)|(?<=:)(?=\\/\\/)|(?=\\@)", _NOTHING, escaped)


def count_text(number: int, noun: str) -> str:
    """Return a number of things: "1 run", "1,200 runs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(place: int) -> str:
    """Return a place as text: "1st", "38th", "112th"."""
    ending = "th" if place // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending}"


def bytes_text(count: int) -> str:
    """Return a number of bytes, to two digits: "1.4 GB", "36 MB"."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            number = count / size
            return f"{number:.1f} {unit}" if number < 9.95 else f"{number:,.0f} {unit}"
    return count_text(count, "byte")


def page_count(total: int, page_size: int) -> int:
    """Return the number of pages of a list, at least one."""
    return max(1, -(-total // page_size))


def number_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts the numbers in names by value: 1, 2, 10."""
    parts = re.split(r"([0-9]+)", name)
    return tuple(
        (0, int(part), part) if place % 2 else (1, 0, part)
        for place, part in enumerate(parts)
        if part
    )
