"""What the slot tells its trainer on stdin, and what the trainer says back on stdout."""

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, Final, Self

from worker.api.client import Claim
from worker.slot.trainer_process import PARENT_VARIABLE

PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>."""


class Control:
    """The two pipes to the slot. The end of stdin is the end of the slot, and of this process."""

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._orders = orders
        self._answers = answers
        self._cancelled = threading.Event()
        self._leaving = threading.Event()

    @classmethod
    def of_this_process(cls) -> Self:
        """stdin and stdout; from now on what libraries print goes to stderr."""
        answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return cls(sys.stdin.buffer, answers)

    def say(self, **facts: object) -> None:
        """Send the slot one line."""
        self._answers.write(json.dumps(facts).encode() + b"\n")

    def wait_for_claim(self) -> Claim | None:
        """The first line; None if the slot has ended."""
        line = self._orders.readline()
        return Claim.model_validate_json(line) if line else None

    def follow(self, committed: Callable[[int], None], hurry: Callable[[], None]) -> None:
        """Pass on all further lines, in a thread."""
        threading.Thread(
            target=self._follow, args=(committed, hurry), name="control", daemon=True
        ).start()

    def cancelled(self) -> bool:
        """Whether the run is to stop before its end."""
        return self._cancelled.is_set()

    def leaving(self) -> bool:
        """Whether the run is to be given back at a checkpoint."""
        return self._leaving.is_set()

    def _follow(self, committed: Callable[[int], None], hurry: Callable[[], None]) -> None:
        for line in self._orders:
            order = json.loads(line)
            if "committed_seq" in order:
                committed(order["committed_seq"])
            elif order.get("cancel"):
                self._cancelled.set()
                hurry()
            elif order.get("leave"):
                self._leaving.set()
                hurry()
        os._exit(1)  # no slot, no run: it may be given to another at any moment


def die_with_parent() -> None:
    """End this process when its slot ends, however that ends (Linux; elsewhere stdin's end does).

    Exits at once if the slot has ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None and int(parent) != os.getppid():
        sys.exit(1)
