"""Run one command so that it cannot outlive the launcher, even when the launcher is killed.

Called as `python child.py PARENT_PID PIPE_FD COMMAND...`. On Linux this program asks the kernel to
signal it when its parent dies, and then replaces itself by the command. On other systems it stays
as the command's parent and ends the command when the pipe closes, whose other end only the launcher
holds.

It is started by its path with `-I -S`, to be quick, and imports the standard library only.
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
"""Seconds the command has to end by itself before it is killed."""


def exec_command(command: list[str], parent: int) -> None:
    """Ask the kernel for SIGTERM at the parent's death, then replace this process by the command.

    The request survives the exec. It is bound to the parent's thread that forked, which is why the
    launcher forks from its main thread only.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # the parent died before the request was in force
        sys.exit(1)
    os.execvp(command[0], command)


def guard_command(command: list[str], pipe: int) -> int:
    """Run the command as a child and end it when the pipe closes. Returns its exit status."""
    child = subprocess.Popen(command)  # does not inherit the pipe

    def forward_signal(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, forward_signal)
    signal.signal(signal.SIGINT, forward_signal)

    def end_when_pipe_closes() -> None:
        while os.read(pipe, 1):
            pass
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(0, signal.SIGKILL)  # kills the command's own children too

    threading.Thread(target=end_when_pipe_closes, daemon=True).start()
    status = child.wait()
    return 128 - status if status < 0 else status


def main(arguments: Sequence[str]) -> int:
    """Run with the arguments: the parent's pid, the pipe's descriptor, the command."""
    parent, pipe, command = int(arguments[0]), int(arguments[1]), list(arguments[2:])
    if sys.platform == "linux":
        os.close(pipe)
        exec_command(command, parent)
    return guard_command(command, pipe)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
