"""A process that steps back does it with its whole session, where the kernel weighs those."""

import subprocess
import sys

from worker.machine import AUTOGROUP

STEPS_BACK = f"""
import os
from worker.machine import step_back
before = os.nice(0)
step_back(7)
group = open("{AUTOGROUP}").read() if os.path.exists("{AUTOGROUP}") else "nice 7"
print(os.nice(0) - before, group.strip().rpartition(" ")[2])
"""


def test_the_session_steps_back_too() -> None:
    told = subprocess.run(
        [sys.executable, "-c", STEPS_BACK],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    assert told.stdout.split() == ["7", "7"]
