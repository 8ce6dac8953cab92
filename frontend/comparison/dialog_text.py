"""What the dialogs of a comparison say and send; pure functions."""

from collections.abc import Sequence
from typing import Any, Final

from frontend.api.team_types import Size
from frontend.api.types import Comparison
from frontend.ui.dataset_text import size as in_words
from frontend.ui.seeds import write_seeds

MOST_SEEDS: Final = 100
"""Of one comparison, as the API has it."""
SUGGESTED: Final = 3


def changes(
    comparison: Comparison, *, name: str, tags: Sequence[str], notes: str
) -> dict[str, Any]:
    """What differs from how the comparison is, so that nobody else's change is undone."""
    wanted = {"name": name.strip(), "tags": [tag.strip() for tag in tags], "notes": notes}
    now = {"name": comparison["name"], "tags": comparison["tags"], "notes": comparison["notes"]}
    return {field: value for field, value in wanted.items() if value != now[field]}


def next_seeds(seeds: Sequence[int]) -> str:
    """A few seeds behind the last, as people write them; "" where there is no room for more."""
    room = min(SUGGESTED, MOST_SEEDS - len(seeds))
    first = max(seeds, default=-1) + 1
    return write_seeds(range(first, first + room)) if room > 0 else ""


def more_runs(comparison: Comparison, seeds: Sequence[int]) -> str:
    """How many runs seeds add, and how many the comparison has then."""
    arms = len(comparison["arms"])
    added, before = len(seeds) * arms, sum(comparison["runs"].values())
    known = comparison["seeds"]
    has = f"It has seed{'' if len(known) == 1 else 's'} {write_seeds(known)} already"
    if not seeds:
        return f"{has}."
    ways = f"{_count(len(seeds), 'seed')} × {_count(arms, 'arm')}"
    return f"{has}. {ways} = {_count(added, 'more run')}, {before + added} in all."


def freed(size: Size) -> str:
    """What a deletion frees, as HTML."""
    figures = (
        (f"{size['runs']:,}", "run" if size["runs"] == 1 else "runs"),
        (f"{size['points']:,}", "measured points"),
        (in_words(size["bytes"]), "of snapshots on disk"),
    )
    items = "".join(f"<div><b>{value}</b><span>{what}</span></div>" for value, what in figures)
    return f"<div class='lb-freed'>{items}</div>"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
