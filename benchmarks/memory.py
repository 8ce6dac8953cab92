"""What a call adds to the resident memory of a process, at its peak."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


def in_child(measure: Callable[..., Result], *args: Any) -> Result:
    """The function's result from a fork of this process, whose memory goes with it."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(measure, args)


def forget_peak() -> int:
    """Reset the peak, and return the KiB that are resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def added(before: int) -> float:
    """Return the MiB by which the peak since then exceeds the KiB before."""
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    """KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
