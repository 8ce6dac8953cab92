"""`python -m launcher up` with the whole product below it."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.support.ports import free_ports
from tests.support.stack import PROCESSES, ROOT, Stack, running_stack
from tests.support.waiting import PATIENCE, still_alive, until

GONE_S = 10.0
"""Each ends by itself once its parent is gone, within 5 s; more on a busy machine."""


def _whole(stack: Stack) -> list[psutil.Process]:
    """Every process of the product, once all kinds are there; helpers of theirs included."""
    until(lambda: all(stack.processes(kind) for kind in PROCESSES), "every kind of process")
    return stack.launcher.children(recursive=True)


def test_sigterm_ends_all_of_it_within_five_seconds(tmp_path: Path) -> None:
    with running_stack(tmp_path / "data", "--no-demo") as stack:
        everything = _whole(stack)
        begun = time.monotonic()
        stack.launcher.terminate()
        assert stack.launcher.wait(timeout=60) == 0
        took = time.monotonic() - begun
        assert still_alive(everything, timeout=GONE_S) == []
        assert took < 6 * PATIENCE, "5 s on a machine at rest"
        forced = "did not end in time" in stack.log.read_text()
        assert not forced or took > 4, "only a very busy machine needs force"


def test_a_killed_launcher_leaves_no_orphans_and_its_folder_free(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_stack(data, "--no-demo") as stack:
        everything = _whole(stack)
        stack.launcher.kill()
        assert still_alive(everything, timeout=GONE_S) == []
    with running_stack(data, "--no-demo") as again:
        assert again.get("/health/ready")["status"] == "ok"


def test_a_second_launcher_on_the_folder_is_told_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_stack(data, "--no-demo") as stack:
        api, ui, broker = map(str, free_ports(3))
        command = [sys.executable, "-m", "launcher", "up", "--data-dir", str(data)]
        command += ["--api-port", api, "--ui-port", ui, "--broker-port", broker]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSBOARD_", "REDIS_"))}
        second = subprocess.run(
            command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=20, check=False
        )
        assert second.returncode == 1
        [line] = second.stderr.splitlines()
        assert f"pid {stack.launcher.pid}" in line
        assert "--data-dir" in line
        assert stat.S_IMODE((data / "worker-token").stat().st_mode) == 0o600
