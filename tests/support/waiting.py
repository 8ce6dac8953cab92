"""Wait for something to become true, up to a deadline; never for a fixed time."""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import psutil

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Factor of all deadlines: they are given for an idle machine, and tests run on busy ones."""


def until(probe: Callable[[], T | None], what: str, *, timeout: float = 60.0) -> T:
    """Return the probe's first true answer; `timeout` seconds are enough on an idle machine.

    Raises:
        TimeoutError: the deadline passed; names what was waited for and what was seen last.
    """
    deadline = time.monotonic() + timeout * PATIENCE
    pause = 0.002
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout * PATIENCE} s for {what}; saw {seen!r} last")
        time.sleep(pause)
        pause = min(1.3 * pause, 0.05)  # most answers come soon, and a long wait costs no CPU


def still_alive(processes: Sequence[psutil.Process], *, timeout: float) -> list[psutil.Process]:
    """Return the processes that are still alive after `timeout` seconds. Zombies, such as ended
    children of a killed parent, do not count as alive."""

    def alive() -> list[psutil.Process]:
        return [process for process in processes if _runs(process)]

    try:
        until(lambda: not alive(), "processes to end", timeout=timeout)
    except TimeoutError:
        return alive()
    return []


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
