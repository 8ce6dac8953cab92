"""The memory that a training really uses, measured in its own process, and the estimate of it.

`python -m tests.support.training_memory CASE` prints both in bytes, as JSON.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from contract.comparison.encoder import Encoder
from contract.comparison.training import Training
from worker import encoders, losses
from worker.data import Dataset, Split
from worker.torch_utils import build_optimizer
from worker.trainer.evaluation import BestEpoch, embed
from worker.trainer.memory_estimate import training_memory
from worker.trainer.model import Model, compute_loss


@dataclass(frozen=True)
class Case:
    """A training that needs most of its memory for one purpose."""

    encoder: dict[str, Any]
    loss: dict[str, Any]
    batch_size: int
    shape: tuple[int, ...] = (3, 64, 64)
    items: int = 1200
    held_out: int = 200


CONTRASTIVE = {"kind": "contrastive"}
CASES = {
    "activations": Case({"kind": "convnet", "channels": 32}, CONTRASTIVE, 128, items=400),
    "resnet": Case(
        {"kind": "resnet18", "weights": "random", "tuning": "full"},
        CONTRASTIVE,
        12,
        items=40,
        held_out=20,
    ),
    "held-out items": Case(
        {"kind": "convnet", "channels": 32}, CONTRASTIVE, 4, items=400, held_out=400
    ),
    "weights": Case({"kind": "mlp", "hidden": 3000}, CONTRASTIVE, 32, (1, 28, 28)),
    "triplet pairs": Case({"kind": "mlp", "hidden": 8}, {"kind": "triplet"}, 2048, (8,), 4000),
    "weighted triplets": Case(
        {"kind": "mlp", "hidden": 8},
        {"kind": "triplet", "selection": "distance_weighted"},
        2048,
        (8,),
        4000,
    ),
}


def main(name: str) -> None:
    """Train some steps and measure them, then estimate, and print both."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    case = CASES[name]
    data = _data(case)
    settings = Training(batch_size=case.batch_size)
    spec: Encoder = TypeAdapter(Encoder).validate_python(case.encoder)
    model = Model([encoders.build(spec, case.shape)])
    loss = losses.build(case.loss, classes=10, dim=64)
    batch = torch.arange(case.batch_size)
    # What the first call loads is not part of the measurement.
    _steps(model, loss, data.train.take(batch[:2]), settings, count=1)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    _steps(model, loss, data.train.take(batch), settings, count=2)
    embed(model, data.test)
    measured = _status("VmHWM") - before
    needs = training_memory(model, loss, data, settings, batch)
    json.dump({"needs": needs, "measured": measured}, sys.stdout)


def _steps(
    model: Model,
    loss: losses.Loss,
    batch: Split,
    settings: Training,
    *,
    count: int,
) -> None:
    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = build_optimizer(settings.optimizer, [*weights, *loss.parameters()])
    best = BestEpoch()
    for step in range(count):
        optimizer.zero_grad()
        compute_loss(loss, model(batch), batch, torch.Generator()).value.backward()
        before = [w.detach().clone() for w in weights]
        optimizer.step()
        [after.detach() - old for after, old in zip(weights, before, strict=True)]
        del before
        best.offer({}, step, model)


def _data(case: Case) -> Dataset:
    kind = torch.uint8 if len(case.shape) == 3 else torch.float32
    items = torch.randint(0, 256, (case.items, *case.shape)).to(kind)
    whole = Split(items, torch.arange(case.items) % 10)
    small = whole.take(torch.arange(case.held_out))
    return Dataset(whole, small, small, classes=10)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main(sys.argv[1])
