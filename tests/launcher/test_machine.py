"""What the machine offers: slots for its cores and GPUs, ports, the data folder and its secret."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.console import FolderError
from launcher.machine import (
    Port,
    Slot,
    broker_binary,
    cores,
    gpu_count,
    lock_data_folder,
    port_problem,
    torch_threads,
    worker_slots,
    worker_token,
)
from tests.support.ports import free_ports

LOCK_FOLDER = """
import sys, time
from pathlib import Path
from launcher.machine import lock_data_folder
with lock_data_folder(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize(
    ("cpu_cores", "count", "threads"), [(1, 1, 1), (2, 1, 1), (4, 2, 1), (8, 4, 1), (32, 4, 7)]
)
def test_cpu_slots_leave_room(cpu_cores: int, count: int, threads: int) -> None:
    slots = worker_slots(None, 0, cpu_cores)
    assert [slot.name for slot in slots] == [f"w{i + 1}" for i in range(count)]
    assert {slot.device for slot in slots} == {"cpu"}
    assert torch_threads(len(slots), cpu_cores) == threads


def test_one_slot_per_gpu_by_default() -> None:
    assert worker_slots(None, 2, 8) == [Slot("w1", "cuda", 0), Slot("w2", "cuda", 1)]
    assert [slot.gpu for slot in worker_slots(3, 2, 8)] == [0, 1, 0]
    assert len(worker_slots(3, 0, 2)) == 3


def test_this_machine() -> None:
    assert cores() >= 1
    assert gpu_count() >= 0
    assert os.access(broker_binary(), os.X_OK)


def test_gpus_are_counted_as_the_driver_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho 'GPU 1: B (UUID: y)'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("launcher.machine.version", lambda _: "2.13.0")
    assert gpu_count() == 2
    monkeypatch.setattr("launcher.machine.version", lambda _: "2.13.0+cpu")
    assert gpu_count() == 0, "a CPU-only torch cannot use them"
    monkeypatch.setattr("launcher.machine.version", lambda _: "2.13.0")
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed' >&2\nexit 9\n")
    assert gpu_count() == 0


def test_a_free_port_has_no_problem() -> None:
    [number] = free_ports(1)
    assert port_problem(Port("API", "127.0.0.1", number, "--api-port")) is None


def test_a_taken_port_is_named_with_its_flag() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        problem = port_problem(Port("API", "127.0.0.1", taken, "--api-port"))
    assert problem
    assert f"port {taken}, meant for the API, is taken" in problem
    assert "--api-port" in problem


def test_an_address_of_another_machine_is_named() -> None:
    problem = port_problem(Port("API", "192.0.2.1", free_ports(1)[0], "--api-port"))
    assert problem
    assert "cannot listen on 192.0.2.1" in problem


def test_the_folder_is_locked_until_the_first_launcher_has_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOCK_FOLDER, str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as first:
        assert first.stdout
        assert first.stdout.readline() == b"locked\n"
        with (
            pytest.raises(FolderError, match=rf"pid {first.pid}.*--data-dir"),
            lock_data_folder(tmp_path),
        ):
            pass
        first.send_signal(signal.SIGKILL)
    with lock_data_folder(tmp_path):
        pass


def test_the_folder_is_made_and_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    with lock_data_folder(tmp_path / "new" / "data"):
        assert (tmp_path / "new" / "data").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="file"), lock_data_folder(tmp_path / "file"):
        pass


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 12_345)
    with (
        pytest.raises(FolderError, match=r"belongs to user .*--data-dir"),
        lock_data_folder(tmp_path),
    ):
        pass


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    token = worker_token(tmp_path, {})
    assert len(token) >= 40
    assert worker_token(tmp_path, {}) == token
    assert stat.S_IMODE((tmp_path / "worker-token").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["worker-token"]


def test_a_given_token_is_used_and_not_stored(tmp_path: Path) -> None:
    assert worker_token(tmp_path, {"LOSSBOARD_WORKER_TOKEN": "mine"}) == "mine"
    assert list(tmp_path.iterdir()) == []
