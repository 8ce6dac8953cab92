"""Parse and format seeds as people write them: "0-4", "0,1,2", "0-2, 7"."""

import re
from collections.abc import Sequence
from typing import Final

MAX_SEEDS: Final = 1000
"""More than any comparison takes; the API has the real limit. This one keeps a typing error such
as "0-99999999" from filling the memory."""

_SEED_RANGE = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")


class SeedsError(ValueError):
    """The text is not a list of seeds; the message says what to write instead."""


def parse_seeds(text: str) -> list[int]:
    """Parse a text into seeds, in the order written.

    Raises:
        SeedsError: a part is not a number or range, a seed occurs twice, or there are none.
    """
    seeds: list[int] = []
    for part in (part.strip() for part in re.split(r"[,;\n]", text)):
        if not part:
            continue
        match = _SEED_RANGE.fullmatch(part)
        if match is None:
            raise SeedsError(
                f"“{part}” is not a valid seed; write whole numbers or ranges: 0-4 or 0, 1, 2"
            )
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise SeedsError(f"“{part}” is in descending order; write {last}-{first}")
        if len(seeds) + last - first >= MAX_SEEDS:
            raise SeedsError(f"“{part}” makes more than {MAX_SEEDS} seeds; write fewer")
        seeds += range(first, last + 1)
    if not seeds:
        raise SeedsError("at least one seed is needed; write for example 0-4")
    seen: set[int] = set()
    for seed in seeds:
        if seed in seen:
            raise SeedsError(f"seed {seed} is listed twice; each seed is one run per arm")
        seen.add(seed)
    return seeds


def format_seeds(seeds: Sequence[int]) -> str:
    """Return the shortest text that `parse_seeds` reads as these seeds."""
    parts: list[str] = []
    start = 0
    for end in range(1, len(seeds) + 1):
        if end < len(seeds) and seeds[end] == seeds[end - 1] + 1:
            continue
        run = seeds[start:end]
        parts.append(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)))
        start = end
    return ", ".join(parts)
