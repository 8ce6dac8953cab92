"""Time and memory of calls on a GPU."""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import torch

TIMES: Final = 30
"""Repeats of a call."""
BLOCKS: Final = 5
STEPS: Final = 40
"""Steps of a block, which follow each other."""


def milliseconds(step: Callable[[], Any], times: int = TIMES) -> float:
    """Of a call, by the device's clock: the median."""
    for _ in range(5):
        step()
    took: list[float] = []
    for _ in range(times):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        step()
        ended.record()
        ended.synchronize()
        took.append(began.elapsed_time(ended))
    return statistics.median(took)


def pace_of(step: Callable[[], Any], batch: int, blocks: int = BLOCKS) -> float:
    """Items a second of steps that follow each other: the median of blocks."""
    for _ in range(10):
        step()
    paces = []
    for _ in range(blocks):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(STEPS):
            step()
        torch.cuda.synchronize()
        paces.append(STEPS * batch / (time.perf_counter() - began))
    return statistics.median(paces)


def peak(call: Callable[[], Any]) -> float:
    """MiB that a call adds at its peak."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    most: int = torch.cuda.max_memory_allocated()
    return (most - before) / 2**20
