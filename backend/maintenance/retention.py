"""Lets go, bit by bit, of what nobody needs: of old comparisons, and blobs that no row names, as of
a trainer killed between a blob and its message. The sweeper asks for it."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from sqlmodel import Session

from backend.db.database import Database
from backend.maintenance import repository as retention
from backend.maintenance.repository import Stretch
from backend.metrics.run_statistics import SERIES
from backend.runs import blob_cleanup as rubbish
from backend.runs import snapshots
from backend.storage.blobs import Blobs

EVERY_S: Final = 3600.0
"""Between two looks for what has become old."""
CHUNK: Final = 20_000
"""Points that one transaction deletes."""
PART: Final = 500
"""Comparisons that one query looks at."""
_DAY_S: Final = 86_400.0


class Retention:
    """Raw points and snapshots of comparisons that were over some days ago, and nobody's blobs.

    Not safe to use from several threads.
    """

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        *,
        raw_days: float | None,
        snapshot_days: float | None,
        clock: Callable[[], float],
    ) -> None:
        """None keeps them for ever."""
        self._database = database
        self._blobs = blobs
        self._raw_days = raw_days
        self._snapshot_days = snapshot_days
        self._clock = clock
        self._next = 0.0
        self._stretches: deque[Stretch] = deque()
        self._crowded: deque[str] = deque()

    def step(self) -> bool:
        """Do a little, in one short transaction; whether there is more to do now."""
        if not self._stretches and not self._crowded:
            now = self._clock()
            if now < self._next:
                return False
            self._next = now + EVERY_S
            self._look(now)
        if self._stretches:
            self._thin(self._stretches[0])
        elif self._crowded:
            self._keep_outermost(self._crowded.popleft())
        return bool(self._stretches or self._crowded)

    def _look(self, now: float) -> None:
        with self._database.read() as session:
            for old in _parts(session, now, self._raw_days):
                self._stretches.extend(retention.thinnable(session, old, whole=SERIES))
            for old in _parts(session, now, self._snapshot_days):
                self._crowded.extend(retention.crowded(session, old))
        rubbish.sweep(self._database, self._blobs, now)

    def _thin(self, stretch: Stretch) -> None:
        with self._database.write() as write:
            more = retention.thin(write, stretch, CHUNK)
        self._blobs.drop(write.unneeded, self._clock())
        if not more:
            self._stretches.popleft()

    def _keep_outermost(self, comparison: str) -> None:
        with self._database.write() as write:
            before = snapshots.blobs(write.session, comparison)
            retention.keep_outermost(write, comparison)
        rubbish.drop_unused(self._database, self._blobs, before, self._clock())


def _parts(session: Session, now: float, days: float | None) -> Iterator[list[str]]:
    """The comparisons that were over so many days ago; none without a number."""
    old = [] if days is None else retention.over(session, now - days * _DAY_S)
    for first in range(0, len(old), PART):
        yield old[first : first + PART]
