"""What the machine offers, and the slots that follow from it."""

import os
from pathlib import Path

import pytest

from launcher.machine import Slot, broker_binary, cores, gpu_count, slots, torch_threads


@pytest.mark.parametrize(
    ("cpu_cores", "count", "threads"), [(1, 1, 1), (2, 1, 1), (4, 2, 1), (8, 4, 1), (32, 4, 7)]
)
def test_cpu_slots_leave_room(cpu_cores: int, count: int, threads: int) -> None:
    made = slots(None, 0, cpu_cores)
    assert [slot.name for slot in made] == [f"w{i + 1}" for i in range(count)]
    assert {slot.device for slot in made} == {"cpu"}
    assert torch_threads(len(made), cpu_cores) == threads


def test_one_slot_a_gpu_unless_told_otherwise() -> None:
    assert slots(None, 2, 8) == [Slot("w1", "cuda", 0), Slot("w2", "cuda", 1)]
    assert [slot.gpu for slot in slots(3, 2, 8)] == [0, 1, 0]
    assert len(slots(3, 0, 2)) == 3


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
