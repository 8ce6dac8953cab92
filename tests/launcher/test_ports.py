"""Ports that are free, taken or nonsense, and the command's one clear line about them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.machine import Port, problem_with
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_has_no_problem() -> None:
    [number] = free_ports(1)
    assert problem_with(Port("API", "127.0.0.1", number, "--api-port")) is None


def test_a_taken_port_is_named_with_its_flag(taken: int) -> None:
    found = problem_with(Port("API", "127.0.0.1", taken, "--api-port"))
    assert found
    assert f"port {taken}, meant for the API, is taken" in found
    assert "--api-port" in found


def test_an_address_of_another_machine_is_named() -> None:
    found = problem_with(Port("API", "192.0.2.1", free_ports(1)[0], "--api-port"))
    assert found
    assert "cannot listen on 192.0.2.1" in found


@pytest.mark.parametrize("flag", ["--api-port", "--ui-port", "--broker-port"])
def test_up_says_so_in_one_line_at_once(taken: int, flag: str, tmp_path: Path) -> None:
    others = [f for f in ("--api-port", "--ui-port", "--broker-port") if f != flag]
    free = free_ports(2)
    command = [sys.executable, "-m", "launcher", "up", "--data-dir", str(tmp_path / "data")]
    command += [flag, str(taken), others[0], str(free[0]), others[1], str(free[1])]
    clean = {k: v for k, v in os.environ.items() if k != "REDIS_URL"}
    begun = time.monotonic()
    ended = subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False
    )
    took = time.monotonic() - begun
    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert str(taken) in line
    assert flag in line
    assert took < 5 * PATIENCE, "the promise is 1 s on an idle machine"
    assert not (tmp_path / "data").exists(), "nothing was started"
