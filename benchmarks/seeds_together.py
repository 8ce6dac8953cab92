"""All seeds of an arm in one batched computation against one after another.

Heads on cached features: 6,000 random but separable ones of 512 numbers in 10 classes, which is
what a frozen ResNet-18 leaves to train. Both ways start every seed from its own weights, give it
its own batches, count every tuple, use Adam and measure every per-step dynamic with the update
norm every tenth step; one after another takes the steps as a run takes them, together as
`worker.together` does. Neither writes points. On a CPU each reads every step, on a
GPU the steps of a block in one transfer.

Both ways take the same blocks of steps, alternating. Reported: milliseconds for one step of every
seed, medians over the blocks; both include drawing the batches. At the end the weights and the
whole series of every seed must be equal but for rounding, or the script fails. Goal: at least
1.7 times as fast with 5 seeds at batch 64 on a CPU, with one thread.

About two minutes. `--short` tries the goal's cases alone and writes nothing.
Command: python -m benchmarks.seeds_together
"""

import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from benchmarks.report import Row, report
from contract.comparison.encoder import Resnet18Encoder
from contract.comparison.loss import Loss
from contract.comparison.training import AdamOptimizer, ShuffleSampler
from worker import encoders, losses
from worker.data import Split
from worker.together import Stack, StackMember
from worker.torch_utils import build_optimizer, stream_generator, stream_seed
from worker.trainer import batches, dynamics
from worker.trainer.member import UPDATE_NORM_EVERY
from worker.trainer.model import Model, compute_loss

ITEMS, FEATURES, CLASSES = 6_000, 512, 10
HEADS: Final = {
    "linear head": Resnet18Encoder(),
    "head with 128 hidden": Resnet18Encoder(hidden=128),
}
BLOCK, WARM_UP = 20, 1
"""Steps of a block, blocks before the clock starts."""
GOAL_SEEDS, GOAL_BATCH, GOAL_RATIO = 5, 64, 1.7
TOLERANCE: Final = 1e-3
CPU = torch.device("cpu")
Series = list[list[dict[str, float]]]
"""For each step that of each seed."""


def main() -> int:
    """Measure on the CPU and report."""
    torch.set_num_threads(1)
    if "--short" in sys.argv[1:]:
        return int(not report(rows(CPU, (GOAL_SEEDS,)), document=False))
    found = rows(CPU, (2, 5, 10, 20)) + rows(CPU, (5,), batch=128)
    return int(not report(found))


def rows(device: torch.device, seeds: Sequence[int], *, batch: int = GOAL_BATCH) -> list[Row]:
    """Each head with each loss at each number of seeds.

    Raises:
        AssertionError: a seed learned something else together than alone.
    """
    return [
        _row(device, head, kind, count, batch)
        for head in HEADS
        for kind in ("contrastive", "triplet")
        for count in seeds
    ]


def _row(device: torch.device, head: str, kind: str, seeds: int, batch: int) -> Row:
    train = features().to(device)
    loss: Loss = TypeAdapter(Loss).validate_python({"kind": kind})
    models = []
    for seed in range(seeds):
        torch.manual_seed(stream_seed(seed, "encoder"))
        models.append(encoders.build(HEADS[head], (FEATURES,)).to(device))
    ours = Batched(copy.deepcopy(models), loss, train, batch)
    alone = enumerate(copy.deepcopy(models))
    theirs = [Alone(model, loss, train, batch, seed) for seed, model in alone]

    def separately() -> None:
        for one in theirs:
            one.block()

    blocks = max(2, min(5, 60 // seeds))
    took: dict[Callable[[], None], list[float]] = {ours.block: [], separately: []}
    for at in range(WARM_UP + blocks):
        for way, times in list(took.items())[:: 1 if at % 2 else -1]:
            _wait(device)
            began = time.perf_counter()
            way()
            _wait(device)
            if at >= WARM_UP:
                times.append((time.perf_counter() - began) * 1e3 / BLOCK)
    check(ours, theirs, models)
    own, peer = (statistics.median(times) for times in took.values())
    goal = device.type == "cpu" and (seeds, batch) == (GOAL_SEEDS, GOAL_BATCH)
    case = f"{head}, {kind}, {seeds} seeds, batch {batch}"
    case += "" if device.type == "cpu" else f", {device.type}"
    return Row(
        "seeds_together",
        case,
        own,
        "ms",
        blocks * BLOCK,
        peer,
        "one after another",
        least_ratio=GOAL_RATIO if goal else None,
    )


def features() -> Split:
    """Random features around their classes' centres, near enough to each other to need learning."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(ITEMS) % CLASSES
    centres = torch.randn(CLASSES, FEATURES, generator=rng)
    noise = torch.randn(ITEMS, FEATURES, generator=rng)
    return Split((centres[labels] + 2 * noise).relu_(), labels)


def batches_of(seed: int, labels: Tensor, batch: int) -> Iterator[Tensor]:
    """A seed's batches, epoch after epoch."""
    epoch = 0
    while True:
        epoch += 1
        yield from batches.epoch_batches(
            labels, sampler_spec=ShuffleSampler(), batch_size=batch, seed=seed, epoch=epoch
        )


def check(ours: "Batched", theirs: Sequence["Alone"], initial: Sequence[nn.Module]) -> None:
    """Compare the weights and all values of all steps, seed by seed.

    Raises:
        AssertionError: names what differs.
    """
    learned = ours.models
    for seed, one in enumerate(theirs):
        before, together, alone = (
            nn.utils.parameters_to_vector(network.parameters()).detach()
            for network in (initial[seed], learned[seed], one.model)
        )
        close(together - before, alone - before, f"seed {seed}: way of the weights")
        for key in one.series[UPDATE_NORM_EVERY - 1]:
            together, alone = (
                torch.tensor([of[key] for of in series if key in of])
                for series in ([of[seed] for of in ours.series], one.series)
            )
            assert len(together) == len(alone) > 1
            assert torch.equal(together.isnan(), alone.isnan())
            close(together.nan_to_num(), alone.nan_to_num(), f"seed {seed}: {key}")


def close(ours: Tensor, theirs: Tensor, name: str) -> None:
    """Equal but for rounding. By norms, and the weights loosely: where a weight's gradient is all
    but 0, Adam makes whole steps of its rounding. A tuple within rounding of the margin may be
    active in one of the two.

    Raises:
        AssertionError: gives the name and how far off.
    """
    off = float((ours - theirs).norm() / theirs.norm().clamp(min=1e-12))
    allowed = TOLERANCE * (20 if "weights" in name else 10 if "active" in name else 1)
    assert off < allowed, f"{name}: {off:.2g} off, allowed is {allowed:.2g}"


class Batched:
    """All seeds in one computation."""

    def __init__(self, models: list[nn.Module], loss: Loss, train: Split, batch: int) -> None:
        self.series: Series = []
        self.models = models
        members = [
            StackMember(model, losses.build(loss), loss, AdamOptimizer(), _tuples(seed))
            for seed, model in enumerate(models)
        ]
        self._stack = Stack(members, train.items, train.labels)
        self._batches = [batches_of(seed, train.labels, batch) for seed in range(len(models))]
        self._cpu = train.labels.device.type == "cpu"
        self._step = 0

    def block(self) -> None:
        """Some steps."""
        drawn = [torch.stack(list(islice(own, BLOCK))) for own in self._batches]
        self._stack.begin(torch.stack(drawn, dim=1))
        for _ in range(BLOCK):
            self._step += 1
            self._stack.take_step(update_norm=self._step % UPDATE_NORM_EVERY == 0)
            if self._cpu:
                self._read()
        self._read()

    def _read(self) -> None:
        self.series += [
            [dynamics.step_values(numbers) for numbers in of_step] for of_step in self._stack.read()
        ]


class Alone:
    """One seed, stepping as `worker.trainer.training` does."""

    def __init__(self, model: nn.Module, loss: Loss, train: Split, batch: int, seed: int) -> None:
        self.series: list[dict[str, float]] = []
        self.model = Model([model])
        self._weights = list(self.model.parameters())
        self._optimizer = build_optimizer(AdamOptimizer(), self._weights)
        self._loss = losses.build(loss)
        self._train, self._tuples = train, _tuples(seed)
        self._batches = batches_of(seed, train.labels, batch)
        self._cpu = train.labels.device.type == "cpu"
        self._step = 0
        self._unread: list[dynamics.StepNumbers] = []

    def block(self) -> None:
        """Some steps."""
        for index in islice(self._batches, BLOCK):
            self._take_step(index)
            if self._cpu:
                self._read()
        self._read()

    def _take_step(self, index: Tensor) -> None:
        self._step += 1
        part = self._train.take(index)
        self._optimizer.zero_grad()
        embeddings: tuple[Tensor, ...] = self.model(part)
        for own in embeddings:
            own.retain_grad()
        output = compute_loss(self._loss, embeddings, part, self._tuples)
        output.value.backward()
        seen = dynamics.step_numbers(output, embeddings, self._weights)
        now = self._step % UPDATE_NORM_EVERY == 0
        seen = dynamics.optimizer_step(self._optimizer, seen, self._weights, with_update_norm=now)
        self._unread.append(seen)

    def _read(self) -> None:
        if self._unread:
            self.series += dynamics.read_values(self._unread)
            self._unread = []


def _tuples(seed: int) -> torch.Generator:
    return stream_generator(seed, "tuples")


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    sys.exit(main())
