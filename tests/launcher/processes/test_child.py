"""A child process ends with its launcher, also where the kernel cannot tell it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.waiting import still_alive, until

ROOT = Path(__file__).resolve().parents[3]

GUARDED = """
import os, subprocess, sys
theirs, ours = os.pipe()
inner = "import sys; from launcher.processes.child import guard_command;"
inner += "guard_command(sys.argv[2:], int(sys.argv[1]))"
child = subprocess.Popen([sys.executable, "-c", inner, str(theirs), "sleep", "1000"],
                         pass_fds=(theirs,), start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def test_without_pdeathsig_the_closed_pipe_ends_the_command() -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", GUARDED],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with launcher:
        assert launcher.stdout
        guard = psutil.Process(int(launcher.stdout.readline()))
        [sleeper] = until(guard.children, "the guarded command")
        launcher.kill()
        assert still_alive([guard, sleeper], timeout=8) == []
