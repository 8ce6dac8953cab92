"""The supervisor on small real servers: order, restart, orderly stop, no orphans."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE, still_alive, until

ROOT = Path(__file__).resolve().parents[3]


class TinyLauncher:
    """A running tiny launcher."""

    def __init__(self, log: Path, *kinds: str) -> None:
        self.ports = free_ports(len(kinds))
        self.log = log
        arguments = [f"{port}:{kind}" for port, kind in zip(self.ports, kinds, strict=True)]
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.launcher.processes.tiny_launcher", *arguments],
                cwd=ROOT,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, text: str) -> None:
        """Wait until the log holds a text."""
        until(lambda: text in self.log.read_text(), text, timeout=20)

    def children(self) -> list[psutil.Process]:
        """All processes below the launcher."""
        return psutil.Process(self.process.pid).children(recursive=True)


Start = Callable[..., TinyLauncher]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[TinyLauncher] = []

    def _start(*kinds: str) -> TinyLauncher:
        started.append(TinyLauncher(tmp_path / "log", *kinds))
        return started[-1]

    yield _start
    for tiny in started:
        if tiny.process.poll() is None:
            for process in tiny.children():
                process.kill()
            tiny.process.kill()
            tiny.process.wait()


def test_stages_start_in_order_and_print_name_pid_and_address(start: Start) -> None:
    tiny = start("plain", "plain")
    tiny.wait_for("dashboard http")
    first, second, *_ = (line for line in tiny.log.read_text().splitlines() if "ready in" in line)
    assert first.split()[:3:2] == [str(tiny.ports[0]), str(tiny.children()[0].pid)]
    assert second.split()[0] == str(tiny.ports[1])


def test_a_killed_process_is_started_again(start: Start) -> None:
    tiny = start("plain", "plain")
    tiny.wait_for("dashboard http")
    victim, bystander = tiny.children()
    victim.kill()
    tiny.wait_for("ended (killed by SIGKILL); starting it again")
    tiny.wait_for("started again")
    pids = {child.pid for child in tiny.children()}
    assert bystander.pid in pids
    assert victim.pid not in pids
    assert len(pids) == 2


def test_the_group_of_a_killed_process_is_killed_too(start: Start) -> None:
    tiny = start("parent")
    tiny.wait_for("dashboard http")
    parent, orphan = tiny.children()
    parent.kill()
    assert still_alive([orphan], timeout=5) == []


def test_sigterm_ends_everything_in_time_and_kills_the_stubborn(start: Start) -> None:
    tiny = start("plain", "plain", "stubborn")
    tiny.wait_for("dashboard http")
    children = tiny.children()
    begun = time.monotonic()
    tiny.process.terminate()
    assert tiny.process.wait(timeout=60) == 0
    assert time.monotonic() - begun < 5 * PATIENCE
    assert still_alive(children, timeout=1) == []
    assert "did not end in time; killed" in tiny.log.read_text()


def test_ctrl_c_during_the_start_ends_everything(start: Start) -> None:
    tiny = start("plain", "plain", "plain")
    tiny.wait_for("ready in")
    tiny.process.send_signal(signal.SIGINT)
    assert tiny.process.wait(timeout=60) == 0
    assert "dashboard" not in tiny.log.read_text()


def test_a_killed_launcher_leaves_no_orphans(start: Start) -> None:
    tiny = start("plain", "plain")
    tiny.wait_for("dashboard http")
    children = tiny.children()
    tiny.process.kill()
    tiny.process.wait()
    assert still_alive(children, timeout=5) == []


def test_a_process_that_cannot_start_stops_the_rest_and_shows_its_log(start: Start) -> None:
    tiny = start("plain", "broken")
    assert tiny.process.wait(timeout=60) == 1
    log = tiny.log.read_text()
    assert f"[{tiny.ports[1]}] no reason given" in log
    assert "ended before it was ready (exit status 1); its last lines above say why" in log
    assert "Traceback" not in log
