"""What a run needs of the memory: told in numbers before, and near to what it then takes."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from worker import memory
from worker.data import Split
from worker.errors import MemoryEstimateError
from worker.trainer.model import Model

CPU = torch.device("cpu")


def test_what_does_not_fit_is_refused_with_all_numbers() -> None:
    free = memory.available(CPU)
    with pytest.raises(MemoryEstimateError) as caught:
        memory.check({"images": 3 * free, "splits": 5_000_000}, CPU, "Take fewer.")
    said = str(caught.value)
    assert f"images {memory.in_words(3 * free)}, splits 5 MB" in said
    assert said.endswith("are free on cpu. Take fewer.")
    memory.check({"images": free // 10}, CPU, "")


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
    assert memory.in_words(size) == words


def test_free_memory_is_within_the_machines() -> None:
    assert 0 < memory.available(CPU) < 2**50


@pytest.mark.cuda
def test_free_memory_of_a_gpu() -> None:
    assert 0 < memory.available(torch.device("cuda")) < 2**40


def test_weights_that_do_not_train_need_no_optimiser() -> None:
    frozen = nn.Linear(1000, 1000).requires_grad_(False)
    model = Model([nn.Sequential(frozen, nn.Linear(1000, 10))])
    train = Split(torch.zeros(4, 1000), torch.zeros(4, dtype=torch.int64))
    needs = memory.of_training(model, train, batch_size=4)
    assert needs["gradients and optimiser"] == 3 * 4 * (10 * 1000 + 10)


MEASURE = """
import json, resource, sys, torch
from torch import nn
from worker import memory
from worker.data import Split
from worker.trainer.model import Model

torch.set_num_threads(1)
model = Model([nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 16),
)])
batch = 128
train = Split(torch.rand(256, 3, 64, 64), torch.zeros(256, dtype=torch.int64))
optimizer = torch.optim.Adam(model.parameters())


def step(size):
    optimizer.zero_grad()
    [embeddings] = model(train.take(torch.arange(size)))
    embeddings.square().sum().backward()
    optimizer.step()


step(2)  # what libraries take once
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
estimate = sum(memory.of_training(model, train, batch).values())
step(batch)
unit = 1 if sys.platform == "darwin" else 1024
taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
print(json.dumps([estimate, taken]))
"""


def test_the_estimate_is_near_the_peak_of_a_real_step() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
    )
    estimate, taken = json.loads(done.stdout)
    assert estimate / 2.5 < taken < estimate * 2.5
