"""Wait for something to become true, up to a deadline; never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(probe: Callable[[], T | None], what: str, *, timeout: float = 60.0) -> T:
    """The probe's first truthy answer.

    Raises:
        TimeoutError: the deadline passed; names what was waited for and what was seen last.
    """
    deadline = time.monotonic() + timeout
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s for {what}; saw {seen!r} last")
        time.sleep(0.05)
