"""Memory: what is available within all limits, and what is refused."""

from pathlib import Path

import psutil
import pytest
import torch

from worker import machine
from worker.errors import MemoryEstimateError

CPU = torch.device("cpu")


def test_what_does_not_fit_is_refused_with_all_numbers() -> None:
    free = machine.available_memory(CPU)
    with pytest.raises(MemoryEstimateError) as caught:
        machine.check_memory(
            {"images": 3 * free, "splits": 5_000_000, "nothing": 0}, CPU, "Take fewer."
        )
    said = str(caught.value)
    assert f"images {machine.format_bytes(3 * free)}, splits 5 MB)" in said
    assert said.endswith("are available on cpu. Take fewer.")
    machine.check_memory({"images": free // 10}, CPU, "")


def test_what_is_only_estimated_is_refused_when_it_surely_does_not_fit() -> None:
    needs = {"activations": int(1.1 * machine.available_memory(CPU))}
    machine.check_memory(needs, CPU, "", certain_share=machine.MEASURED_SHARE)
    with pytest.raises(MemoryEstimateError):
        machine.check_memory(needs, CPU, "")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (18.44e9, "18.4 GB"),
        (5e12, "5,000.0 GB"),
    ],
)
def test_bytes_for_people(size: float, words: str) -> None:
    assert machine.format_bytes(size) == words


def test_available_memory_is_within_the_machines() -> None:
    assert 0 < machine.available_memory(CPU) <= psutil.virtual_memory().total


@pytest.mark.cuda
def test_available_memory_of_a_gpu() -> None:
    assert 0 < machine.available_memory(torch.device("cuda")) < 2**40


def group(folder: Path, files: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")


class TestControlGroups:
    """Against files as the kernel writes them: the tests' machine has the limits it has."""

    def test_version_2_with_limits_here_and_above(self, tmp_path: Path) -> None:
        own, mount = tmp_path / "own", tmp_path / "groups"
        own.write_text("0::/pod/me\n")
        stat = "anon 5\ninactive_file 200\nactive_file 100\nslab 7"
        group(mount, {"cgroup.procs": ""})  # the root has no limit
        group(mount / "pod", {"memory.max": 9000, "memory.current": 8000, "memory.stat": stat})
        group(mount / "pod/me", {"memory.max": "max", "memory.current": 5000, "memory.stat": stat})
        assert machine.cgroup_free_memory(own, mount) == [1300]
        (mount / "pod/me/memory.max").write_text("5500\n")
        assert sorted(machine.cgroup_free_memory(own, mount)) == [800, 1300]
        (mount / "pod/memory.current").write_text("20000\n")
        assert sorted(machine.cgroup_free_memory(own, mount)) == [0, 800]

    def test_version_1_next_to_other_controllers(self, tmp_path: Path) -> None:
        own, mount = tmp_path / "own", tmp_path / "groups"
        own.write_text("5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/docker/abc\n")
        # In a container only its own group is there, at the root.
        files = {
            "memory.limit_in_bytes": 4000,
            "memory.usage_in_bytes": 3000,
            "memory.stat": "cache 900\ntotal_inactive_file 50\ntotal_active_file 25",
        }
        group(mount / "memory", files)
        assert machine.cgroup_free_memory(own, mount) == [1075]

    def test_no_groups(self, tmp_path: Path) -> None:
        assert machine.cgroup_free_memory(tmp_path / "none", tmp_path) == []
        (tmp_path / "own").write_text("0::/\n")
        assert machine.cgroup_free_memory(tmp_path / "own", tmp_path) == []
        group(tmp_path, {"memory.max": 1, "memory.current": "rubbish", "memory.stat": ""})
        assert machine.cgroup_free_memory(tmp_path / "own", tmp_path) == []
