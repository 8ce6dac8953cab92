"""How many more seeds would halve the intervals of a verdict, and which those would be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Final

from frontend.comparison.verdict.figures import count_text, noun

Json = Mapping[str, Any]

MAX_SEEDS: Final = 100
"""The API's limit for one comparison."""
SEEDS_END: Final = 2**31
"""Seeds are smaller than this."""


def halving_text(verdict: Json) -> str:
    """Return what it would take to halve the intervals, as a sentence; "" where nothing is known.

    Where splits share a data set no number of them would do: then it is why.
    """
    asked = verdict["to_halve"]
    if asked["floor"]:
        return str(asked["floor"])
    more = asked["replicates"]
    if not more:
        return ""
    return f"{count_text(more, f'more {noun(verdict)}')} would halve these intervals."


@dataclass(frozen=True)
class MoreSeeds:
    """The seeds that a button adds."""

    seeds: Sequence[int]
    runs: int
    """Runs that they make: one an arm and seed."""
    wanted: int
    """Seeds that would halve the intervals; more than `seeds` where the limit is reached."""

    @property
    def is_capped(self) -> bool:
        """Whether a comparison cannot hold as many seeds as are wanted."""
        return len(self.seeds) < self.wanted


def seeds_to_add(verdict: Json, known: Sequence[int], arms: int) -> MoreSeeds | None:
    """Return the seeds that would halve the intervals, as many as a comparison can still hold.

    Args:
        verdict: the API's verdict.
        known: the seeds that the comparison has.
        arms: number of its arms.

    Returns:
        None where more seeds would not halve them, or where no further seed has room.
    """
    asked = verdict["to_halve"]
    wanted = asked["replicates"] or 0
    room = min(wanted, MAX_SEEDS - len(known))
    if asked["floor"] or room <= 0:
        return None
    first = max(known, default=-1) + 1
    if first + room > SEEDS_END:
        first = 0
    free = (seed for seed in count(first) if seed not in set(known))
    seeds = list(islice(free, room))
    return MoreSeeds(seeds, len(seeds) * arms, wanted)
