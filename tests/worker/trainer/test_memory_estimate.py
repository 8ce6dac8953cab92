"""What a run needs of the memory: told in numbers before, and near to what it then takes."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from torch import Tensor, nn

from contract.comparison.training import SgdOptimizer, Training
from tests.support.footprint import CASES
from worker import losses, machine
from worker.data import Dataset, Split
from worker.errors import MemoryEstimateError
from worker.trainer.memory_estimate import LivingBytes, of_training
from worker.trainer.model import Model

CPU = torch.device("cpu")


def test_what_does_not_fit_is_refused_with_all_numbers() -> None:
    free = machine.available(CPU)
    with pytest.raises(MemoryEstimateError) as caught:
        machine.check({"images": 3 * free, "splits": 5_000_000, "nothing": 0}, CPU, "Take fewer.")
    said = str(caught.value)
    assert f"images {machine.in_words(3 * free)}, splits 5 MB)" in said
    assert said.endswith("are available on cpu. Take fewer.")
    machine.check({"images": free // 10}, CPU, "")


def test_what_is_only_estimated_is_refused_when_it_surely_does_not_fit() -> None:
    needs = {"activations": int(1.1 * machine.available(CPU))}
    machine.check(needs, CPU, "", certain=machine.MEASURED)
    with pytest.raises(MemoryEstimateError):
        machine.check(needs, CPU, "")


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
    assert machine.in_words(size) == words


def test_available_memory_is_within_the_machines() -> None:
    assert 0 < machine.available(CPU) <= psutil.virtual_memory().total


@pytest.mark.cuda
def test_available_memory_of_a_gpu() -> None:
    assert 0 < machine.available(torch.device("cuda")) < 2**40


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
        assert machine.cgroup_rooms(own, mount) == [1300]
        (mount / "pod/me/memory.max").write_text("5500\n")
        assert sorted(machine.cgroup_rooms(own, mount)) == [800, 1300]
        (mount / "pod/memory.current").write_text("20000\n")
        assert sorted(machine.cgroup_rooms(own, mount)) == [0, 800]

    def test_version_1_beside_other_controllers(self, tmp_path: Path) -> None:
        own, mount = tmp_path / "own", tmp_path / "groups"
        own.write_text("5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/docker/abc\n")
        # In a container only its own group is there, at the root.
        files = {
            "memory.limit_in_bytes": 4000,
            "memory.usage_in_bytes": 3000,
            "memory.stat": "cache 900\ntotal_inactive_file 50\ntotal_active_file 25",
        }
        group(mount / "memory", files)
        assert machine.cgroup_rooms(own, mount) == [1075]

    def test_no_groups(self, tmp_path: Path) -> None:
        assert machine.cgroup_rooms(tmp_path / "none", tmp_path) == []
        (tmp_path / "own").write_text("0::/\n")
        assert machine.cgroup_rooms(tmp_path / "own", tmp_path) == []
        group(tmp_path, {"memory.max": 1, "memory.current": "rubbish", "memory.stat": ""})
        assert machine.cgroup_rooms(tmp_path / "own", tmp_path) == []


def test_bytes_that_live_at_once() -> None:
    known = torch.ones(1000)
    with LivingBytes([known]) as living:
        known.mul_(2)
        assert living.most == 0
        one = known + 1  # 4,000 bytes
        view = one[10:]
        del one
        two = view * 2  # and 3,960 more
        assert living.most == 7960
        del view, two
        three = torch.zeros(100)
        assert living.most == 7960
        three.add_(1)


def parts_of(model: nn.Module, items: int = 8, settings: Training | None = None) -> dict[str, int]:
    drawn = torch.rand(items, 1000, generator=torch.Generator().manual_seed(0))
    whole = Split(drawn, torch.arange(items) % 2)
    data = Dataset(whole, whole, whole, classes=2)
    loss = losses.build({"kind": "contrastive"})
    settings = settings or Training(batch_size=4)
    return of_training(Model([model]), loss, data, settings, torch.arange(4))


def test_weights_that_do_not_train_need_no_optimiser() -> None:
    frozen = nn.Linear(1000, 1000).requires_grad_(False)
    model = nn.Sequential(frozen, nn.Linear(1000, 10))
    trained, whole = 4 * 10_010, 4 * (10_010 + 1_001_000)
    needs = parts_of(model)
    assert needs["gradients and optimiser"] == 3 * trained
    assert needs["weights of the best epoch"] == whole
    for momentum, numbers in ((0.9, 2), (0.0, 1)):
        settings = Training(batch_size=4, optimizer=SgdOptimizer(momentum=momentum))
        assert parts_of(model, settings=settings)["gradients and optimiser"] == numbers * trained


def test_items_that_are_measured_apart_are_counted() -> None:
    model = nn.Linear(1000, 2)
    assert parts_of(model)["items to measure on"] == 0
    assert parts_of(model, 10_001)["items to measure on"] == 15_000 * 4000


def test_an_estimate_leaves_everything_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(1000, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    parts_of(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(one.training for one in model.modules())
    assert all(weight.grad is None for weight in model.parameters())


def test_two_modalities_take_both_encoders() -> None:
    items = torch.rand(6, 500)
    labels = torch.arange(6) % 2

    def embedding(visual: Tensor | None) -> int:
        whole = Split(items, labels, visual=visual)
        encoders = [nn.Linear(500, 300), nn.Linear(500, 300)][: 1 if visual is None else 2]
        data = Dataset(whole, whole, whole, classes=2)
        loss = losses.build({"kind": "contrastive"})
        settings = Training(batch_size=6)
        needs = of_training(Model(encoders), loss, data, settings, torch.arange(6))
        return needs["gradients and optimiser"]

    assert embedding(items) == 2 * embedding(None)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
@pytest.mark.parametrize("case", CASES)
def test_the_estimate_is_near_the_peak_of_a_real_training(case: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.footprint", case],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    seen = json.loads(done.stdout)
    estimate = sum(seen["needs"].values())
    assert estimate / 2 < seen["measured"] < estimate * 2, seen
    assert estimate * machine.MEASURED < seen["measured"], "a run that fits would be refused"
