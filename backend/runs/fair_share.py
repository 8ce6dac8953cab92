"""The order in which queued runs are served, so that every user gets an equal share of the slots.

Among the runs of the highest priority, the user with the fewest slots comes first, and among equal
users the one whose last turn is longest ago. Of one user the oldest run comes first. So a
sweep of hundreds of runs blocks no other user: with one slot users take turns, with many slots each
user has an equal part of them. Pure functions; backend.runs.queue reads the database.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from contract.comparison.training import ANY_DEVICE

Age = tuple[float, int, str]
"""created_at, position, id: the smallest is the oldest."""


class Turns:
    """How many slots each user has, and when each had the last turn."""

    def __init__(self, running: Mapping[str, int], turns: Mapping[str, int]) -> None:
        """Start from the busy slots of each user and the number of each user's last turn."""
        self._running = Counter(running)
        self._turns = dict(turns)
        self._last = max(turns.values(), default=0)

    def first(self, since: Mapping[str, float]) -> str:
        """Return the user whose run is next.

        Args:
            since: user -> since when the user's oldest queued run waits.
        """
        return min(since, key=lambda user: (*self._had(user), since[user], user))

    def claimed(self, user: str) -> int:
        """Note that a run of the user starts; return the number of this turn."""
        self._running[user] += 1
        self._last += 1
        self._turns[user] = self._last
        return self._last

    def ended(self, user: str) -> None:
        """Note that a run of the user is over."""
        self._running[user] -= 1

    def _had(self, user: str) -> tuple[int, int]:
        return self._running[user], self._turns.get(user, 0)


class WaitingRun(NamedTuple):
    """A queued run."""

    run: str
    user: str
    priority: int
    wants: str
    """A device class, or ANY_DEVICE."""
    age: Age
    seconds: float
    """How long the run will take."""
    digest: str = ""
    """Of the plug-in that a slot must have; empty for none."""


class Slot(NamedTuple):
    """A living slot; one without a user has no run."""

    device: str
    user: str | None = None
    seconds: float = 0.0
    """Seconds until it is free."""
    digests: frozenset[str] = frozenset()
    """Of the plug-ins that it has."""


class Start(NamedTuple):
    """When a run will presumably start and end."""

    run: str
    at: float
    """Seconds from now."""
    end: float


def plan_starts(
    waiting: Iterable[WaitingRun], slots: Iterable[Slot], turns: Turns
) -> Iterator[Start]:
    """Yield the runs in the order in which they will start, if each takes as long as expected.

    A free slot takes what a claim would give it at that moment. A run that none of the slots may
    take never starts and is left out. Changes `turns`.
    """
    levels = _levels(waiting)
    known = list(slots)
    heap = [(slot.seconds, at, slot.user) for at, slot in enumerate(known)]
    heapq.heapify(heap)
    while heap and levels:
        now, at, user = heapq.heappop(heap)
        if user is not None:
            turns.ended(user)
        taken = _take_next(levels, known[at], turns)
        if taken is None:
            continue  # nothing is left for this slot
        heapq.heappush(heap, (now + taken.seconds, at, taken.user))
        yield Start(taken.run, now, now + taken.seconds)


Queues = dict[tuple[str, str, str], deque[WaitingRun]]
"""(user, device class wanted, digest of the plug-in needed) -> runs, the oldest first."""


def _levels(waiting: Iterable[WaitingRun]) -> dict[int, Queues]:
    """Return the runs by priority, the highest first."""
    levels: dict[int, Queues] = {}
    for one in sorted(waiting, key=lambda one: (-one.priority, one.age)):
        queues = levels.setdefault(one.priority, {})
        queues.setdefault((one.user, one.wants, one.digest), deque()).append(one)
    return levels


def _take_next(levels: dict[int, Queues], slot: Slot, turns: Turns) -> WaitingRun | None:
    """Remove and return the run that a slot would claim now."""
    devices, digests = (ANY_DEVICE, slot.device), {"", *slot.digests}
    priorities = (
        priority
        for priority, queues in levels.items()
        if any(wants in devices and digest in digests for _, wants, digest in queues)
    )
    priority = next(priorities, None)
    if priority is None:
        return None
    queues = levels[priority]
    oldest: dict[str, WaitingRun] = {}
    for (user, wants, digest), queue in queues.items():
        if wants in devices and digest in digests:
            oldest[user] = min(oldest.get(user, queue[0]), queue[0], key=lambda one: one.age)
    taken = oldest[turns.first({user: one.age[0] for user, one in oldest.items()})]
    turns.claimed(taken.user)
    key = (taken.user, taken.wants, taken.digest)
    queue = queues[key]
    queue.popleft()
    if not queue:
        del queues[key]
    if not queues:
        del levels[priority]
    return taken
