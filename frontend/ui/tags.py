"""Tags as one line of text: separated by commas, and in quotes where they hold one themselves."""

import csv
from collections.abc import Sequence
from io import StringIO


def parse_tags(text: str) -> list[str]:
    """Return the tags of a text; one that is far too long is one tag, for the API to refuse."""
    rows = csv.reader(StringIO(text, newline=""), skipinitialspace=True)
    try:
        return [tag for row in rows for part in row if (tag := part.strip())]
    except csv.Error:
        return [text]


def format_tags(tags: Sequence[str]) -> str:
    """Return the text that `parse_tags` reads as these tags."""
    return ", ".join(_quoted(tag) if set(tag) & set(',"\r\n') else tag for tag in tags)


def _quoted(tag: str) -> str:
    inner = tag.replace('"', '""')
    return f'"{inner}"'
