"""Whose run is next, and what follows from that for all that waits.

Among the runs of the highest priority the user with the fewest running ones comes first, among
those the one whose last turn is longest ago; of one user the oldest run. So a sweep of hundreds
holds up nobody: with one slot users take turns, with many each has an equal part of them.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from contract.comparison.training import ANY_DEVICE

Age = tuple[float, int, str]
"""created_at, position, id: the smallest is the oldest."""


class Turns:
    """Who has how much, and whose turn was when; counts along with claims and ends."""

    def __init__(self, running: Mapping[str, int], turns: Mapping[str, int]) -> None:
        self._running = Counter(running)
        self._turns = dict(turns)
        self._last = max(turns.values(), default=0)

    def first(self, since: Mapping[str, float]) -> str:
        """The user whose run is next, among users and since when the oldest run of each waits."""
        return min(since, key=lambda user: (*self._had(user), since[user], user))

    def claimed(self, user: str) -> int:
        """A run of theirs begins; the number of this turn."""
        self._running[user] += 1
        self._last += 1
        self._turns[user] = self._last
        return self._last

    def ended(self, user: str) -> None:
        """A run of theirs is over."""
        self._running[user] -= 1

    def _had(self, user: str) -> tuple[int, int]:
        return self._running[user], self._turns.get(user, 0)


class Waits(NamedTuple):
    """A run that waits."""

    run: str
    user: str
    priority: int
    wants: str
    """A device class, or ANY_DEVICE."""
    age: Age
    seconds: float
    """How long it will take."""


class Works(NamedTuple):
    """A slot that lives; without a user it has no run."""

    device: str
    user: str | None = None
    seconds: float = 0.0
    """Until it is free."""


class Start(NamedTuple):
    """A run's beginning as foreseen."""

    run: str
    at: float
    """Seconds from now."""
    end: float


def plan(waits: Iterable[Waits], slots: Iterable[Works], turns: Turns) -> Iterator[Start]:
    """The order in which runs will begin if each takes as long as is thought.

    A slot that is free takes what a claim would give it at that moment. What no slot may take
    never begins and is left out.
    """
    levels = _levels(waits)
    heap = [(slot.seconds, at, slot.device, slot.user) for at, slot in enumerate(slots)]
    heapq.heapify(heap)
    while heap and levels:
        now, at, device, user = heapq.heappop(heap)
        if user is not None:
            turns.ended(user)
        taken = _take(levels, device, turns)
        if taken is None:
            continue  # nothing is left for this device
        heapq.heappush(heap, (now + taken.seconds, at, device, taken.user))
        yield Start(taken.run, now, now + taken.seconds)


Lines = dict[tuple[str, str], deque[Waits]]
"""(user, what it wants) -> runs, the oldest first."""


def _levels(waits: Iterable[Waits]) -> dict[int, Lines]:
    """Priority -> its runs, the highest first."""
    levels: dict[int, Lines] = {}
    for one in sorted(waits, key=lambda one: (-one.priority, one.age)):
        lines = levels.setdefault(one.priority, {})
        lines.setdefault((one.user, one.wants), deque()).append(one)
    return levels


def _take(levels: dict[int, Lines], device: str, turns: Turns) -> Waits | None:
    """What a slot of this device would claim now, taken out."""
    mine = (ANY_DEVICE, device)
    some = (n for n, own in levels.items() if any(wants in mine for _, wants in own))
    priority = next(some, None)
    if priority is None:
        return None
    lines = levels[priority]
    oldest: dict[str, Waits] = {}
    for (user, wants), line in lines.items():
        if wants in mine:
            oldest[user] = min(oldest.get(user, line[0]), line[0], key=lambda one: one.age)
    taken = oldest[turns.first({user: one.age[0] for user, one in oldest.items()})]
    turns.claimed(taken.user)
    line = lines[taken.user, taken.wants]
    line.popleft()
    if not line:
        del lines[taken.user, taken.wants]
    if not lines:
        del levels[priority]
    return taken
