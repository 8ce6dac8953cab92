"""The priority of a process that leads a session, as the kernel then has it."""

import subprocess
import sys

from worker.processes.priority import AUTOGROUP

LOWER_PRIORITY = f"""
import os
from worker.processes.priority import lower_priority
before = os.nice(0)
lower_priority(7)
group = open("{AUTOGROUP}").read() if os.path.exists("{AUTOGROUP}") else "nice 7"
print(os.nice(0) - before, group.strip().rpartition(" ")[2])
"""


def test_the_priority_of_the_session_is_lowered_too() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOWER_PRIORITY],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    assert ended.stdout.split() == ["7", "7"]
