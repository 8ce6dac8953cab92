"""Falling curves of 14 runs of 10,000 steps, the same for every peer; the standard library only."""

import math
from collections.abc import Iterator
from typing import Final

RUNS, STEPS = 14, 10_000
PROJECT: Final = "curves"
TAG: Final = "dynamics.loss"


def curves() -> Iterator[tuple[str, list[float]]]:
    """Each run's name, and its values at steps 1, 2, ..."""
    for run in range(RUNS):
        yield (
            f"run {run}",
            [
                math.exp(-step / 3000) + 0.05 * math.sin(step * (run + 3))
                for step in range(1, STEPS + 1)
            ],
        )
