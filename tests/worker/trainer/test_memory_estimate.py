"""The estimate of a run's memory: its parts, and that it is near to what the run then uses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from contract.comparison.training import SgdOptimizer, Training
from tests.support.training_memory import CASES
from worker import losses, machine
from worker.data import Dataset, Split
from worker.trainer.memory_estimate import PeakBytes, training_memory
from worker.trainer.model import Model


def test_peak_of_the_bytes_alive_at_the_same_time() -> None:
    known = torch.ones(1000)
    with PeakBytes([known]) as counter:
        known.mul_(2)
        assert counter.peak == 0
        one = known + 1  # 4,000 bytes
        view = one[10:]
        del one
        two = view * 2  # and 3,960 more
        assert counter.peak == 7960
        del view, two
        three = torch.zeros(100)
        assert counter.peak == 7960
        three.add_(1)


def parts_of(model: nn.Module, items: int = 8, settings: Training | None = None) -> dict[str, int]:
    drawn = torch.rand(items, 1000, generator=torch.Generator().manual_seed(0))
    whole = Split(drawn, torch.arange(items) % 2)
    data = Dataset(whole, whole, whole, classes=2)
    loss = losses.build({"kind": "contrastive"})
    settings = settings or Training(batch_size=4)
    return training_memory(Model([model]), loss, data, settings, torch.arange(4))


def test_frozen_weights_need_no_optimiser_state() -> None:
    frozen = nn.Linear(1000, 1000).requires_grad_(False)
    model = nn.Sequential(frozen, nn.Linear(1000, 10))
    trained, whole = 4 * 10_010, 4 * (10_010 + 1_001_000)
    needs = parts_of(model)
    assert needs["gradients and optimiser"] == 3 * trained
    assert needs["weights of the best epoch"] == whole
    for momentum, numbers in ((0.9, 2), (0.0, 1)):
        settings = Training(batch_size=4, optimizer=SgdOptimizer(momentum=momentum))
        assert parts_of(model, settings=settings)["gradients and optimiser"] == numbers * trained


def test_copies_of_the_items_to_measure_are_counted() -> None:
    model = nn.Linear(1000, 2)
    assert parts_of(model)["items to measure on"] == 0
    assert parts_of(model, 10_001)["items to measure on"] == 15_000 * 4000


def test_an_estimate_changes_nothing() -> None:
    model = nn.Sequential(nn.Linear(1000, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    parts_of(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(weight.grad is None for weight in model.parameters())


def test_two_modalities_need_both_encoders() -> None:
    items = torch.rand(6, 500)
    labels = torch.arange(6) % 2

    def embedding(visual: Tensor | None) -> int:
        whole = Split(items, labels, visual=visual)
        encoders = [nn.Linear(500, 300), nn.Linear(500, 300)][: 1 if visual is None else 2]
        data = Dataset(whole, whole, whole, classes=2)
        loss = losses.build({"kind": "contrastive"})
        settings = Training(batch_size=6)
        needs = training_memory(Model(encoders), loss, data, settings, torch.arange(6))
        return needs["gradients and optimiser"]

    assert embedding(items) == 2 * embedding(None)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_estimate_is_near_the_peak_of_a_real_training(case: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.training_memory", case],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    seen = json.loads(done.stdout)
    estimate = sum(seen["needs"].values())
    assert estimate / 2 < seen["measured"] < estimate * 2, seen
    assert estimate * machine.MEASURED_SHARE < seen["measured"], "a run that fits would be refused"
