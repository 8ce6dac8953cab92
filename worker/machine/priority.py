"""Stepping back, so that whoever looks on is served first."""

import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

AUTOGROUP: Final = Path("/proc/self/autogroup")
TRIES: Final = 50
BUSY_S: Final = 0.1
"""The kernel lets one session in so many seconds change its niceness."""


def step_back(niceness: int) -> None:
    """Let others run before this process.

    Where Linux weighs sessions against each other (autogroups), a niceness counts within its own
    session only, and four trainers, each with a session, would get four parts to the API's one: so
    a process that leads a session has that step back too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # a kernel without autogroups, or another system
            _weigh_session(niceness)


def _weigh_session(niceness: int) -> None:
    for _ in range(TRIES):
        with suppress(BlockingIOError):  # another one's turn
            AUTOGROUP.write_text(str(niceness))
            return
        time.sleep(BUSY_S * random.uniform(1, 2))
