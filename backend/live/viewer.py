"""One open live stream: what it has not been told yet, merged so that it stays small."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from backend.db.database import Update
from backend.db.models import Run
from backend.live.merged_commits import News, gather

MAX_POINTS: Final = 100_000
MAX_COMMITS: Final = 10_000
"""A viewer further behind than this gets a fresh start instead."""
PROGRESS_S: Final = 0.5
"""A run whose state did not change is told about at most this often."""


@dataclass
class Flush:
    """What a viewer is told at once."""

    position: str
    news: News
    runs: list[Run]
    """Of those in the news and of those held back before, what may be told now."""


@dataclass(eq=False)
class Viewer:
    """Filled by the hub, emptied by the response; both in the event loop."""

    comparison: str
    keys: frozenset[str]
    """Only series of these keys are told; empty stands for all."""
    gather: Callable[[Sequence[Update], frozenset[str]], News] = gather
    """Merges what is pending."""
    closed: bool = False
    behind: bool = False
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

    def take(self, update: Update, version: int, position: str) -> None:
        """Add a commit to what is pending."""
        if self._backlog is not None:
            self._backlog.append((update, version, position))
            return
        if version <= self._skip or self.behind:
            return
        self._pending.append(update)
        self._points += sum(
            len(steps)
            for (_, key), (steps, _) in update.points.items()
            if not self.keys or key in self.keys
        )
        self._position = position
        self.behind = self._points > MAX_POINTS or len(self._pending) > MAX_COMMITS
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
        self.behind = False
        self._backlog = []

    def end_reset(self, version: int, position: str, runs: list[Run], now: float) -> None:
        """The snapshot shows everything up to this commit and nothing later."""
        self._skip, self._position = version, position
        self._told = {run.id: (_key(run), now) for run in runs}
        backlog, self._backlog = self._backlog or [], None
        for missed in backlog:
            self.take(*missed)

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
        news = self.gather(pending, self.keys)
        waiting, self._held = {**self._held, **news.runs}, {}
        ready: list[Run] = []
        for run in waiting.values():
            told, at = self._told.get(run.id, (None, 0.0))
            if told == _key(run) and now - at < PROGRESS_S:
                self._held[run.id] = run
            else:
                self._told[run.id] = (_key(run), now)
                ready.append(run)
        return Flush(self._position, news, ready)

    @property
    def held_back(self) -> bool:
        """Whether progress waits to be told, without further news."""
        return bool(self._held)


def _key(run: Run) -> tuple[str, int, int]:
    """A change of this is told at once."""
    return run.state, run.attempt, run.total_steps
