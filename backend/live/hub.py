"""Deliver every commit to the viewers of its comparison, or of its trial; runs in the event loop.

Recent commits are kept, so that a viewer that lost its connection continues where it was. Event ids
are stream positions. Commits that belong to no stream entry (a claim, a cancel) share the id of the
entry before them: a resume sends them again, which changes nothing, because they carry states and
no points.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection
from functools import partial
from typing import Annotated, Final

from backend.db.database import Commit, Update, followed_as
from backend.db.models import Run
from backend.http.dependencies import from_state
from backend.ingest.event_stream import entry_order
from backend.live.viewer import MergeCache, Viewer, merge_updates_of_run

KEPT_POINTS: Final = 200_000
KEPT_COMMITS: Final = 10_000


class Hub:
    """All viewers. Only `publish` and `close_soon` may be called from other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, position: str) -> None:
        self._loop = loop
        self._viewers: defaultdict[str, set[Viewer]] = defaultdict(set)
        self._merge_caches: defaultdict[str, MergeCache] = defaultdict(MergeCache)
        self._recent: deque[Commit] = deque()
        self._points = 0
        self._floor = entry_order(position)
        """Commits up to this position are not kept."""
        self._closed = False

    @property
    def viewers(self) -> int:
        """The number of viewers; may be read from any thread."""
        return sum(len(viewers) for viewers in list(self._viewers.values()))

    def publish(self, commit: Commit) -> None:
        """Deliver a commit; called after each commit, in order, from any thread."""
        if not self._closed:
            self._loop.call_soon_threadsafe(self._deliver, commit)

    def subscribe(self, comparison: str, keys: Collection[str], run: Run | None = None) -> Viewer:
        """Add a viewer that collects commits from now on.

        Args:
            comparison: whose final runs are followed.
            keys: of the series that are sent; none means all.
            run: of the comparison, of any kind, if only this one is followed.
        """
        followed = followed_as(run) if run else comparison
        cached = self._merge_caches[followed].merge
        merge = partial(merge_updates_of_run, run.id) if run else cached
        viewer = Viewer(followed, frozenset(keys), merge)
        viewer.closed = self._closed
        self._viewers[followed].add(viewer)
        return viewer

    def unsubscribe(self, viewer: Viewer) -> None:
        """Remove a viewer."""
        viewers = self._viewers[viewer.followed]
        viewers.discard(viewer)
        if not any(other.keys == viewer.keys for other in viewers):
            self._merge_caches[viewer.followed].forget(viewer.keys)
        if not viewers:
            del self._viewers[viewer.followed], self._merge_caches[viewer.followed]

    def resume(self, viewer: Viewer, last_id: str) -> bool:
        """Give a new viewer what it missed since an event id; False if that id is unknown."""
        try:
            last = entry_order(last_id)
        except ValueError:
            return False
        newest = entry_order(self._recent[-1].position) if self._recent else self._floor
        if not self._floor < last <= newest:
            return False  # at the floor itself: some of the commits that share its id are not kept
        for commit in self._recent:
            update = commit.updates.get(viewer.followed)
            if update and entry_order(commit.position) > last:
                viewer.add(update, commit.version, commit.position)
            elif update and entry_order(commit.position) == last:
                states = Update(runs=update.runs, drops=update.drops, gone=update.gone)
                viewer.add(states, commit.version, commit.position)
        return not viewer.needs_reset

    def close_soon(self) -> None:
        """Close, from any thread or signal handler."""
        self._loop.call_soon_threadsafe(self.close)

    def close(self) -> None:
        """End all viewers' streams; new ones end at once."""
        self._closed = True
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.close()

    def _deliver(self, commit: Commit) -> None:
        self._recent.append(commit)
        self._points += _size(commit)
        while self._points > KEPT_POINTS or len(self._recent) > KEPT_COMMITS:
            oldest = self._recent.popleft()
            self._points -= _size(oldest)
            self._floor = entry_order(oldest.position)
        for followed, update in commit.updates.items():
            for viewer in self._viewers.get(followed, ()):
                viewer.add(update, commit.version, commit.position)


def _size(commit: Commit) -> int:
    return sum(
        len(steps) for update in commit.updates.values() for steps, _ in update.points.values()
    )


LiveHub = Annotated[Hub, from_state("hub")]
