"""One open live stream: what it has not been told yet, merged so that it stays small.

What several commits come to, merged once for all viewers who are told of them together.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from pydantic_core import to_json

from backend.db.database import Update
from backend.db.models import Run
from backend.metrics.downsampling import extremes

StepsAndValues = tuple[list[int], list[float | None]]
"""Steps and values."""


@dataclass
class MergedUpdates:
    """In the order of the fields."""

    drops: dict[str, int] = field(default_factory=dict)
    """Run -> the last step whose points are kept."""
    points: dict[tuple[str, str], StepsAndValues] = field(default_factory=dict)
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
        return encode_json({"series": columns})


def encode_json(body: object) -> bytes:
    """An event's body as it goes over the wire; what is not finite as null."""
    return to_json(body, inf_nan_mode="null")


def merge_updates(updates: Sequence[Update], keys: frozenset[str]) -> MergedUpdates:
    """Merge what commits changed; of these keys, or of all where there is none."""
    news = MergedUpdates()
    found: dict[tuple[str, str], StepsAndValues] = {}
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


class MergeCache:
    """Merges for the viewers of one comparison, who mostly take the same commits at a time."""

    def __init__(self) -> None:
        self._last: dict[frozenset[str], tuple[Sequence[Update], MergedUpdates]] = {}

    def merge(self, updates: Sequence[Update], keys: frozenset[str]) -> MergedUpdates:
        """As the function of that name; what was merged last is not merged again."""
        if not updates:
            return MergedUpdates()
        known = self._last.get(keys)
        if known is not None and _same(known[0], updates):
            return known[1]
        news = merge_updates(updates, keys)
        self._last[keys] = updates, news
        return news

    def forget(self, keys: frozenset[str]) -> None:
        """Nobody looks at these keys any more."""
        self._last.pop(keys, None)


def _same(ours: Sequence[Update], others: Sequence[Update]) -> bool:
    return len(ours) == len(others) and all(
        one is other for one, other in zip(ours, others, strict=True)
    )


def _drop(points: dict[tuple[str, str], StepsAndValues], run: str, after: int) -> None:
    for name, (steps, values) in points.items():
        if name[0] == run:
            kept = [at for at, step in enumerate(steps) if step <= after]
            points[name] = ([steps[at] for at in kept], [values[at] for at in kept])


MAX_POINTS: Final = 100_000
MAX_COMMITS: Final = 10_000
"""A viewer further behind than this gets a fresh start instead."""
PROGRESS_PERIOD_S: Final = 0.5
"""A run whose state did not change is told about at most this often."""


@dataclass
class Flush:
    """What a viewer is told at once."""

    position: str
    news: MergedUpdates
    runs: list[Run]
    """Of those in the news and of those held back before, what may be told now."""


@dataclass(eq=False)
class Viewer:
    """Filled by the hub, emptied by the response; both in the event loop."""

    comparison: str
    keys: frozenset[str]
    """Only series of these keys are told; empty stands for all."""
    merge: Callable[[Sequence[Update], frozenset[str]], MergedUpdates] = merge_updates
    """Merges what is pending."""
    closed: bool = False
    needs_reset: bool = False
    """Too much was missed: needs a reset."""
    _skip: int = 0
    """Commits up to this one are in the snapshot that was sent."""
    _backlog: list[tuple[Update, int, str]] | None = None
    """Commits that come while a snapshot is taken."""
    _position: str = "0-0"
    _pending: list[Update] = field(default_factory=list)
    _points: int = 0
    _held: dict[str, Run] = field(default_factory=dict)
    """Runs whose progress was told too recently."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _told: dict[str, tuple[tuple[str, int, int], float]] = field(default_factory=dict)
    """Run -> what was told of it, and when."""

    def add(self, update: Update, version: int, position: str) -> None:
        """Add a commit to what is pending."""
        if self._backlog is not None:
            self._backlog.append((update, version, position))
            return
        if version <= self._skip or self.needs_reset:
            return
        self._pending.append(update)
        self._points += sum(
            len(steps)
            for (_, key), (steps, _) in update.points.items()
            if not self.keys or key in self.keys
        )
        self._position = position
        self.needs_reset = self._points > MAX_POINTS or len(self._pending) > MAX_COMMITS
        self._news.set()

    def close(self) -> None:
        """End the stream."""
        self.closed = True
        self._closing.set()
        self._news.set()

    def begin_reset(self) -> None:
        """A snapshot is about to be taken: forget what it will hold, keep what comes apart."""
        self._pending = []
        self._held = {}
        self._points = 0
        self.needs_reset = False
        self._backlog = []

    def end_reset(self, version: int, position: str, runs: list[Run], now: float) -> None:
        """The snapshot shows everything up to this commit and nothing later."""
        self._skip, self._position = version, position
        self._told = {run.id: (_state_key(run), now) for run in runs}
        backlog, self._backlog = self._backlog or [], None
        for missed in backlog:
            self.add(*missed)

    async def wait(self, seconds: float) -> bool:
        """Wait for news or the close; False if there were none for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def pause(self, seconds: float) -> None:
        """Let news gather for a while; ends early at the close."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    def flush(self, now: float) -> Flush:
        """Take what may be told now; progress told too recently stays pending."""
        pending, self._pending = self._pending, []
        self._points = 0
        self._news.clear()
        news = self.merge(pending, self.keys)
        waiting, self._held = {**self._held, **news.runs}, {}
        ready: list[Run] = []
        for run in waiting.values():
            told, at = self._told.get(run.id, (None, 0.0))
            if told == _state_key(run) and now - at < PROGRESS_PERIOD_S:
                self._held[run.id] = run
            else:
                self._told[run.id] = (_state_key(run), now)
                ready.append(run)
        return Flush(self._position, news, ready)

    @property
    def held_back(self) -> bool:
        """Whether progress waits to be told, without further news."""
        return bool(self._held)


def _state_key(run: Run) -> tuple[str, int, int]:
    """A change of this is told at once."""
    return run.state, run.attempt, run.total_steps
