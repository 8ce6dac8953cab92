"""What several commits come to, merged once for all viewers who are told of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pydantic_core import to_json

from backend.db.database import Update
from backend.db.models import Run
from backend.metrics.downsampling import extremes

Columns = tuple[list[int], list[float | None]]
"""Steps and values."""


@dataclass
class News:
    """In the order of the fields."""

    drops: dict[str, int] = field(default_factory=dict)
    """Run -> the last step whose points are kept."""
    points: dict[tuple[str, str], Columns] = field(default_factory=dict)
    """(run, key) -> at most three points: the lowest, the highest and the last."""
    runs: dict[str, Run] = field(default_factory=dict)
    """Those that changed, as they are now."""
    gone: bool = False

    @cached_property
    def points_json(self) -> bytes:
        """The body of the event that tells the points."""
        columns = [
            {"run": run, "key": key, "steps": steps, "values": values}
            for (run, key), (steps, values) in self.points.items()
        ]
        return encoded({"series": columns})


def encoded(body: object) -> bytes:
    """An event's body as it goes over the wire; what is not finite as null."""
    return to_json(body, inf_nan_mode="null")


def gather(updates: Sequence[Update], keys: frozenset[str]) -> News:
    """Merge what commits changed; of these keys, or of all where there is none."""
    news = News()
    found: dict[tuple[str, str], Columns] = {}
    for update in updates:
        for run, after in update.drops.items():
            news.drops[run] = min(after, news.drops.get(run, after))
            _drop(found, run, after)
        for name, (steps, values) in update.points.items():
            if not keys or name[1] in keys:
                kept = found.setdefault(name, ([], []))
                kept[0].extend(steps)
                kept[1].extend(values)
        news.runs.update(update.runs)
        news.gone |= update.gone
    news.points = {name: extremes(*columns) for name, columns in found.items() if columns[0]}
    return news


class Gathering:
    """Merges for the viewers of one comparison, who mostly take the same commits at a time."""

    def __init__(self) -> None:
        self._last: dict[frozenset[str], tuple[Sequence[Update], News]] = {}

    def gather(self, updates: Sequence[Update], keys: frozenset[str]) -> News:
        """As the function of that name; what was merged last is not merged again."""
        if not updates:
            return News()
        known = self._last.get(keys)
        if known is not None and _same(known[0], updates):
            return known[1]
        news = gather(updates, keys)
        self._last[keys] = updates, news
        return news

    def forget(self, keys: frozenset[str]) -> None:
        """Nobody looks at these keys any more."""
        self._last.pop(keys, None)


def _same(ours: Sequence[Update], others: Sequence[Update]) -> bool:
    return len(ours) == len(others) and all(
        one is other for one, other in zip(ours, others, strict=True)
    )


def _drop(points: dict[tuple[str, str], Columns], run: str, after: int) -> None:
    for name, (steps, values) in points.items():
        if name[0] == run:
            kept = [at for at, step in enumerate(steps) if step <= after]
            points[name] = ([steps[at] for at in kept], [values[at] for at in kept])
