"""What every peer's script does: take calls from the command line, time them, print one JSON line.

It runs in the peers' environment, so it knows the standard library only.
"""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple

KEYS: Final = [f"dynamics.value_{index}" for index in range(20)]
"""Series of a written run, as many as ours has."""
LONG_KEY: Final = "dynamics.loss"
"""The one series of a run that is read."""
BATCH: Final = 1000
"""Points that a batched call is given."""
ENOUGH_S: Final = 1.0
MOST_READS: Final = 20


class Job(NamedTuple):
    """One call: where it may write, and how many points it is about."""

    folder: Path
    points: int
    width: int = len(KEYS)
    """Values at each step."""

    @property
    def narrow(self) -> "Job":
        """The same with one value at each step."""
        return self._replace(width=1)

    @property
    def steps(self) -> Iterator[tuple[int, dict[str, float]]]:
        """As many steps as the points make."""
        keys = KEYS[: self.width]
        for step in range(self.points // self.width):
            yield step, {key: math.sin(step + at) for at, key in enumerate(keys)}

    @property
    def curve(self) -> Iterator[tuple[int, float]]:
        """The points of one long series."""
        return ((step, math.sin(step / 1000)) for step in range(self.points))


def answer(package: str, calls: Mapping[str, Callable[[Job], float]]) -> None:
    """Make the asked calls in turn and print the seconds of each, or why it failed.

    The command line holds {"folder": ..., "calls": [[name, points], ...]}.
    """
    asked: dict[str, Any] = json.loads(sys.argv[1])
    seconds: dict[str, float] = {}
    failed: dict[str, str] = {}
    for name, points in asked["calls"]:
        try:
            seconds[name] = calls[name](Job(Path(asked["folder"]), points))
        except Exception as error:  # noqa: BLE001 - told in the table, and the others go on
            failed[name] = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    found = {"version": metadata.version(package), "seconds": seconds, "failed": failed}
    print(f"\n{json.dumps(found)}", flush=True)


def timed(call: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def repeated(call: Callable[[], object]) -> float:
    """The median of several calls, after one that does not count; of a slow call the first."""
    first = timed(call)
    if first > ENOUGH_S:
        return first
    took: list[float] = []
    while sum(took) < ENOUGH_S and len(took) < MOST_READS:
        took.append(timed(call))
    return statistics.median(took)


def expect(found: int, least: int, most: int) -> None:
    """Hold what came back against what was asked for.

    Raises:
        ValueError: another number of points than was asked for.
    """
    if not least <= found <= most:
        raise ValueError(f"{found} points came back, asked were {least} to {most}")
