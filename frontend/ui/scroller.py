"""A table that scrolls to the side where it is wider than its page."""

from html import escape


def scroller(table: str, name: str, *, tall: bool = False) -> str:
    """Return a table in an element that scrolls and that keys reach.

    Args:
        table: its HTML.
        name: what the table shows, which a screen reader says; any text.
        tall: whether it scrolls down too, and keeps its head in sight.
    """
    kind = "lb-scroll lb-tall" if tall else "lb-scroll"
    label = escape(name, quote=True)
    return f"<div class='{kind}' role='region' aria-label='{label}' tabindex='0'>{table}</div>"
