"""The priority of this process, and of the session that it leads."""

import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

TRAINER_NICENESS: Final = 10
"""Below the pages and the API: they need little CPU time, but at once; trainers take all cores."""
AUTOGROUP: Final = Path("/proc/self/autogroup")
TRIES: Final = 50
RETRY_S: Final = 0.1
"""The kernel lets only one session in this many seconds change its niceness."""


def lower_priority(niceness: int) -> None:
    """Let other processes run before this one.

    Where Linux groups processes by session (autogroups), a niceness counts only within its own
    session: four trainers, each in its own session, would get four shares of the CPU and the API
    one. So a process that leads a session lowers the priority of that session too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        lower_session_priority(niceness)


def lower_session_priority(niceness: int) -> None:
    """Lower the priority of this process's session alone; waits where other sessions do so."""
    with suppress(OSError):  # a kernel without autogroups, or not Linux
        for _ in range(TRIES):
            with suppress(BlockingIOError):  # another session has just changed its own
                AUTOGROUP.write_text(str(niceness))
                return
            time.sleep(RETRY_S * random.uniform(1, 2))
