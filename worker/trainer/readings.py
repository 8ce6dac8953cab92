"""Steps whose numbers are still on the device: a GPU is waited for once for many of them."""

import time
from collections.abc import Callable
from typing import Any, Final

import torch

from worker.trainer import dynamics

STEPS: Final = 64
"""Steps of a GPU that are read together, at most."""
WAIT_S: Final = 0.1
"""For so long a GPU's steps may stay unread: live curves move several times a second."""


class Readings:
    """Holds what steps measured until it is due to be read: on a CPU after every step, on a GPU
    now and then, for reading waits until all that was asked of it is done."""

    def __init__(
        self, device: torch.device, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._most = 1 if device.type == "cpu" else STEPS
        self._clock = clock
        self._steps: list[int] = []
        self._numbers: list[dynamics.Numbers] = []
        self._began = 0.0
        self._elapsed_s = 0.0

    def begin(self) -> None:
        """A step begins."""
        if not self._steps:
            self._began = self._clock()

    def add(self, step: int, numbers: dynamics.Numbers) -> None:
        """That step is done, or asked of the device."""
        self._steps.append(step)
        self._numbers.append(numbers)

    def due(self) -> bool:
        """Whether to read now."""
        full = len(self._steps) >= self._most
        return full or (bool(self._steps) and self._clock() - self._began >= WAIT_S)

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far; all steps must have been read."""
        assert not self._steps, "a checkpoint comes behind all that was measured"
        return {"elapsed_s": self._elapsed_s}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Count on from there."""
        self._elapsed_s = state["elapsed_s"]

    def read(self) -> list[tuple[int, dict[str, float]]]:
        """The steps since the last time, each with its values by metric key.

        `run.elapsed_s` is what all steps up to that one took, without what lies between them; steps
        that are read together share their time equally.
        """
        if not self._steps:
            return []
        values = dynamics.read_numbers(self._numbers)
        share = (self._clock() - self._began) / len(values)
        read = []
        for step, own in zip(self._steps, values, strict=True):
            self._elapsed_s += share
            read.append((step, own | {"run.elapsed_s": self._elapsed_s}))
        self._steps, self._numbers = [], []
        return read
