"""A table in HTML that scrolls to the side where it is wider than its page."""

from html import escape


def table_html(name: str, heads: str, body: str, *, kind: str = "", tall: bool = False) -> str:
    """Return a table in an element that scrolls and that keys reach.

    Args:
        name: what the table shows, which a screen reader says; any text.
        heads: HTML of the cells of its head.
        body: HTML of its rows.
        kind: a class that says how it looks, besides that of all tables.
        tall: whether it scrolls down too, and keeps its head in sight.
    """
    scrolls = "lb-scroll lb-tall" if tall else "lb-scroll"
    classes = f"lb-table {kind}" if kind else "lb-table"
    label = escape(name, quote=True)
    return (
        f"<div class='{scrolls}' role='region' aria-label='{label}' tabindex='0'>"
        f"<table class='{classes}'><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        "</div>"
    )
