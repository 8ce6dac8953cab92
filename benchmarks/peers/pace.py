"""A run at a steady pace, the same for ours and for every peer; the standard library only."""

import math
import time
from collections.abc import Iterator
from typing import Final

STEPS, STEPS_A_SECOND, SERIES = 1500, 50, 20
PANEL: Final = "dynamics.loss"
"""The series whose way to the screen is measured."""


def paced() -> Iterator[tuple[int, dict[str, float]]]:
    """Each step at its time, with a value for each series."""
    began = time.time()
    for step in range(1, STEPS + 1):
        time.sleep(max(0.0, began + step / STEPS_A_SECOND - time.time()))
        value = math.exp(-step / 500) + 0.02 * math.sin(step)
        yield step, {PANEL: value, **{f"bench.{index}": value for index in range(SERIES - 1)}}
