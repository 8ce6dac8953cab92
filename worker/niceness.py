"""Stepping back, so that whoever looks on is served first."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

AUTOGROUP: Final = Path("/proc/self/autogroup")


def step_back(niceness: int) -> None:
    """Let others run before this process, which leads a session of its own.

    Where Linux weighs sessions against each other (autogroups), a niceness counts within its own
    session only, and four trainers, each with a session, would get four parts to the API's one:
    so the session steps back too.
    """
    os.nice(niceness)
    with suppress(OSError):  # a kernel without autogroups, or another system
        AUTOGROUP.write_text(str(niceness))
