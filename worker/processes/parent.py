"""The end of this process with the one that started it, and its name in lists of processes."""

import ctypes
import os
import signal
import sys
from typing import Final

PARENT_VARIABLE: Final = "LOSSBOARD_PARENT"
"""Environment variable with the slot's process id. By it the trainer notices that the slot ended
before the trainer could ask the kernel to watch it."""
PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>."""
PR_SET_NAME: Final = 15
"""The same."""


def die_with_parent(parent: int | None = None) -> None:
    """Make this process end when the one that started it ends, for any reason.

    On Linux the kernel does it; elsewhere the end of stdin does. Exits at once if that process has
    ended already.

    Args:
        parent: its id; None for the one in the environment.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is None:
        named = os.environ.get(PARENT_VARIABLE)
        parent = None if named is None else int(named)
    if parent is not None and parent != os.getppid():
        sys.exit(1)


def name_process(name: str) -> None:
    """Set the name by which Linux lists this process, at most 15 characters; elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())
