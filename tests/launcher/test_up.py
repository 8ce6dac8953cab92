"""`python -m launcher up`: it ends with all its processes, and refuses in one line."""

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launcher import machine, up
from launcher.options import Options
from tests.support.ports import free_ports
from tests.support.stack import AT_REST, ROOT, Stack, running_stack
from tests.support.waiting import PATIENCE, still_alive, until

GONE_S = 10.0
"""Deadline for the end of processes without a parent: 5 s, more on a busy machine."""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _all_processes(stack: Stack) -> list[psutil.Process]:
    """Wait for every kind of process that runs at rest; return them all with their helpers."""
    until(lambda: all(stack.processes(kind) for kind in AT_REST), "every kind of process")
    return stack.launcher.children(recursive=True)


@pytest.mark.slow
def test_a_killed_launcher_leaves_no_orphans_and_sigterm_ends_all_of_the_next_within_five_seconds(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with running_stack(data, "--no-demo", "--workers", "1") as stack:
        everything = _all_processes(stack)
        stack.launcher.kill()
        assert still_alive(everything, timeout=GONE_S) == []
    with running_stack(data, "--no-demo", "--workers", "1") as again:
        assert again.get("/health/ready")["status"] == "ok", "the folder is free"
        everything = _all_processes(again)
        begun = time.monotonic()
        again.launcher.terminate()
        assert again.launcher.wait(timeout=60) == 0
        took = time.monotonic() - begun
        assert still_alive(everything, timeout=GONE_S) == []
        assert took < 6 * PATIENCE, "5 s on a machine at rest"
        forced = "did not end in time" in again.log.read_text()
        assert not forced or took > 4, "only a very busy machine needs force"


def test_a_second_launcher_on_the_folder_ends_with_one_line(stack: Stack) -> None:
    api, ui, broker = map(str, free_ports(3))
    command = [sys.executable, "-m", "launcher", "up", "--data-dir", str(stack.data_dir)]
    command += ["--api-port", api, "--ui-port", ui, "--broker-port", broker]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSBOARD_", "REDIS_"))}
    second = subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    [line] = second.stderr.splitlines()
    assert f"pid {stack.launcher.pid}" in line
    assert "--data-dir" in line
    assert stat.S_IMODE((stack.data_dir / "worker-token").stat().st_mode) == 0o600


@pytest.mark.slow
def test_the_line_of_an_api_that_may_not_serve_is_shown(stack: Stack, tmp_path: Path) -> None:
    api, ui, broker = map(str, free_ports(3))
    command = [sys.executable, "-m", "launcher", "up", "--data-dir", str(tmp_path / "other")]
    command += ["--api-port", api, "--ui-port", ui, "--broker-port", broker, "--no-browser"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSBOARD_", "REDIS_"))}
    database = stack.data_dir / "lossboard.sqlite"
    second = subprocess.run(
        command,
        cwd=ROOT,
        env={**clean, "LOSSBOARD_DATABASE_URL": f"sqlite:///{database}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    [line] = [line for line in second.stdout.splitlines() if "already serves" in line]
    assert f"the database {database.resolve()}," in line
    assert "Traceback" not in second.stdout
    assert stack.get("/health/ready")["status"] == "ok"


def test_a_disk_with_little_room_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def nothing(*_: object) -> None:
        """Start no process."""

    api, ui, broker = free_ports(3)
    options = Options(tmp_path / "data", api_port=api, ui_port=ui, broker_port=broker)
    monkeypatch.setattr(up, "supervise", nothing)
    monkeypatch.setattr(machine, "LOW_ROOM_BYTES", 10**18)
    assert up.run(options) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert f"GB are free on the disk of the data folder {tmp_path / 'data'};" in line


@pytest.mark.parametrize("flag", ["--api-port", "--ui-port", "--broker-port"])
def test_a_taken_port_ends_up_with_one_line_at_once(
    taken_port: int, flag: str, tmp_path: Path
) -> None:
    others = [f for f in ("--api-port", "--ui-port", "--broker-port") if f != flag]
    free = free_ports(2)
    command = [sys.executable, "-m", "launcher", "up", "--data-dir", str(tmp_path / "data")]
    command += [flag, str(taken_port), others[0], str(free[0]), others[1], str(free[1])]
    clean = {k: v for k, v in os.environ.items() if k != "REDIS_URL"}
    begun = time.monotonic()
    ended = subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False
    )
    took = time.monotonic() - begun
    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert str(taken_port) in line
    assert flag in line
    assert took < 5 * PATIENCE, "the promise is 1 s on an idle machine"
    assert not (tmp_path / "data").exists(), "nothing was started"
