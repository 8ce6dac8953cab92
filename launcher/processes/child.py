"""Runs one command so that it cannot outlive the launcher, however the launcher ends.

Called as `python child.py PARENT_PID PIPE_FD COMMAND...`. On Linux the kernel signals the command
when its parent dies, and this program becomes the command. Elsewhere it stays beside the command
and ends it when the pipe, whose other end only the launcher holds, closes.

Started by its path with `-I -S`: it must be quick, and imports the standard library only.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType

PR_SET_PDEATHSIG = 1
GRACE_S = 4.0
"""Time the command has to end by itself before it is killed."""


def become(command: list[str], parent: int) -> None:
    """Ask the kernel for SIGTERM at the parent's death, then turn into the command.

    The request survives the exec. It is bound to the parent's thread that forked: the launcher
    forks from its main thread only.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the request was in force
        sys.exit(1)
    os.execvp(command[0], command)


def guard(command: list[str], pipe: int) -> int:
    """Run the command beside this program; end it when the pipe closes. Returns its exit status."""
    child = subprocess.Popen(command)  # does not inherit the pipe

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)

    def end_on_eof() -> None:
        while os.read(pipe, 1):
            pass
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(0, signal.SIGKILL)  # the command's own children too

    threading.Thread(target=end_on_eof, daemon=True).start()
    status = child.wait()
    return 128 - status if status < 0 else status


def main(arguments: Sequence[str]) -> int:
    """Entry: parent's pid, pipe, command."""
    parent, pipe, command = int(arguments[0]), int(arguments[1]), list(arguments[2:])
    if sys.platform == "linux":
        os.close(pipe)
        become(command, parent)
    return guard(command, pipe)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
