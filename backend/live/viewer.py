"""One open live stream: the changes it has not been sent yet, merged so that they stay small.

Several commits are merged once for all viewers that are sent the same commits.
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
MAX_POINTS: Final = 100_000
MAX_COMMITS: Final = 10_000
"""A viewer that is further behind than this is sent a fresh snapshot instead."""
PROGRESS_PERIOD_S: Final = 0.5
"""Minimum time between two messages about a run whose state did not change."""


@dataclass
class MergedUpdates:
    """What several commits changed, in the order of the fields."""

    drops: dict[str, int] = field(default_factory=dict)
    """Run -> the last step whose points are kept."""
    points: dict[tuple[str, str], StepsAndValues] = field(default_factory=dict)
    """(run, key) -> at most three points: the lowest, the highest and the last."""
    runs: dict[str, Run] = field(default_factory=dict)
    """Runs that changed, as they are now."""
    gone: bool = False

    @cached_property
    def points_json(self) -> bytes:
        """The body of the event that carries the points."""
        columns = [
            {"run": run, "key": key, "steps": steps, "values": values}
            for (run, key), (steps, values) in self.points.items()
        ]
        return encode_json({"series": columns})


def encode_json(body: object) -> bytes:
    """Encode an event's body as JSON; values that are not finite become null."""
    return to_json(body, inf_nan_mode="null")


def merge_updates_of_run(
    run: str, updates: Sequence[Update], keys: frozenset[str]
) -> MergedUpdates:
    """Merge the updates of commits as `merge_updates` does, but only those of one run."""
    merged = merge_updates(updates, keys)
    return MergedUpdates(
        drops={name: after for name, after in merged.drops.items() if name == run},
        points={name: columns for name, columns in merged.points.items() if name[0] == run},
        runs={name: changed for name, changed in merged.runs.items() if name == run},
        gone=merged.gone,
    )


def merge_updates(updates: Sequence[Update], keys: frozenset[str]) -> MergedUpdates:
    """Merge the updates of commits; of these keys, or of all if there are none."""
    merged = MergedUpdates()
    found: dict[tuple[str, str], StepsAndValues] = {}
    for update in updates:
        for run, after in update.drops.items():
            merged.drops[run] = min(after, merged.drops.get(run, after))
            _drop_points(found, run, after)
        for name, (steps, values) in update.points.items():
            if not keys or name[1] in keys:
                kept = found.setdefault(name, ([], []))
                kept[0].extend(steps)
                kept[1].extend(values)
        merged.runs.update(update.runs)
        merged.gone |= update.gone
    merged.points = {name: extremes(*columns) for name, columns in found.items() if columns[0]}
    return merged


def _drop_points(points: dict[tuple[str, str], StepsAndValues], run: str, after: int) -> None:
    for name, (steps, values) in points.items():
        if name[0] == run:
            kept = [at for at, step in enumerate(steps) if step <= after]
            points[name] = ([steps[at] for at in kept], [values[at] for at in kept])


class MergeCache:
    """Merges updates for the viewers of one comparison, which mostly take the same commits at a
    time."""

    def __init__(self) -> None:
        self._last: dict[frozenset[str], tuple[Sequence[Update], MergedUpdates]] = {}

    def merge(self, updates: Sequence[Update], keys: frozenset[str]) -> MergedUpdates:
        """Merge updates as `merge_updates` does, but reuse the last result for the same commits."""
        if not updates:
            return MergedUpdates()
        known = self._last.get(keys)
        if known is not None and _are_same(known[0], updates):
            return known[1]
        merged = merge_updates(updates, keys)
        self._last[keys] = updates, merged
        return merged

    def forget(self, keys: frozenset[str]) -> None:
        """Drop the result for keys that no viewer has any more."""
        self._last.pop(keys, None)


def _are_same(ours: Sequence[Update], others: Sequence[Update]) -> bool:
    return len(ours) == len(others) and all(
        one is other for one, other in zip(ours, others, strict=True)
    )


@dataclass
class Flush:
    """What a viewer is sent at once."""

    position: str
    updates: MergedUpdates
    runs: list[Run]
    """The runs of this update and those held back earlier that may be sent now."""


@dataclass(eq=False)
class Viewer:
    """A stream that the hub fills and the response empties; both in the event loop."""

    followed: str
    """The id under which its changes are delivered: a comparison's, or that of a trial's run
    (backend.db.database.followed_as)."""
    keys: frozenset[str]
    """Only series of these keys are sent; empty means all."""
    merge: Callable[[Sequence[Update], frozenset[str]], MergedUpdates] = merge_updates
    """Merges the pending updates."""
    closed: bool = False
    needs_reset: bool = False
    """Too much was missed: it needs a fresh snapshot."""
    _skip: int = 0
    """Commits up to this one are in the snapshot that was sent."""
    _backlog: list[tuple[Update, int, str]] | None = None
    """Commits that arrive while a snapshot is taken."""
    _position: str = "0-0"
    _pending: list[Update] = field(default_factory=list)
    _points: int = 0
    _held: dict[str, Run] = field(default_factory=dict)
    """Runs whose progress was sent too recently."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _sent: dict[str, tuple[tuple[str, int, int], float]] = field(default_factory=dict)
    """Run -> what was last sent about it, and when."""

    def add(self, update: Update, version: int, position: str) -> None:
        """Add a commit to the pending updates."""
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
        self._changed.set()

    def close(self) -> None:
        """End the stream."""
        self.closed = True
        self._closing.set()
        self._changed.set()

    def begin_reset(self) -> None:
        """Prepare for a snapshot: forget the updates that it will contain, and keep later ones
        apart."""
        self._pending = []
        self._held = {}
        self._points = 0
        self.needs_reset = False
        self._backlog = []

    def end_reset(self, version: int, position: str, runs: list[Run], now: float) -> None:
        """Continue after a snapshot that shows everything up to this commit and nothing later."""
        self._skip, self._position = version, position
        self._sent = {run.id: (_state_key(run), now) for run in runs}
        backlog, self._backlog = self._backlog or [], None
        for missed in backlog:
            self.add(*missed)

    async def wait(self, seconds: float) -> bool:
        """Wait for updates or the close; return False if there were none for this long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def pause(self, seconds: float) -> None:
        """Let updates accumulate for a while; ends early at the close."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    def flush(self, now: float) -> Flush:
        """Take what may be sent now; progress that was sent too recently stays pending."""
        pending, self._pending = self._pending, []
        self._points = 0
        self._changed.clear()
        merged = self.merge(pending, self.keys)
        waiting, self._held = {**self._held, **merged.runs}, {}
        ready: list[Run] = []
        for run in waiting.values():
            last_state, sent_at = self._sent.get(run.id, (None, 0.0))
            if last_state == _state_key(run) and now - sent_at < PROGRESS_PERIOD_S:
                self._held[run.id] = run
            else:
                self._sent[run.id] = (_state_key(run), now)
                ready.append(run)
        return Flush(self._position, merged, ready)

    @property
    def held_back(self) -> bool:
        """Whether progress is held back to be sent later, even without further updates."""
        return bool(self._held)


def _state_key(run: Run) -> tuple[str, int, int]:
    """Return the part of a run's state whose change is sent at once."""
    return run.state, run.attempt, run.total_steps
