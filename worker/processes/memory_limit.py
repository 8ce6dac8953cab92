"""A limit on the memory of this process, where it runs code from outside."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

if sys.platform == "linux":
    import resource

SCORE: Final = Path("/proc/self/oom_score_adj")
FIRST: Final = "1000"
"""The score of what the kernel ends first where memory is full."""
STATM: Final = Path("/proc/self/statm")
DATA_FIELD: Final = 5
"""Place of data and stack, in pages, in `statm`."""


def limit_memory(more: int) -> None:
    """Let this process take at most so many bytes more than it has now, so that what it runs gets
    an error instead of filling the machine; if the machine's memory is full nevertheless, this
    process is the first that the kernel ends. On Linux; elsewhere nothing.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        SCORE.write_text(FIRST)
    held = int(STATM.read_text().split()[DATA_FIELD]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = held + more if most == resource.RLIM_INFINITY else min(held + more, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
