"""Training loops on a GPU to be timed: as a run's, and as one would plainly write it."""

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.loss_ways import PEER, WAYS
from contract.comparison.encoder import ConvnetEncoder
from contract.comparison.training import Precision
from worker import encoders, losses
from worker.data import Split
from worker.trainer import dynamics
from worker.trainer.dynamics import StepBuffer
from worker.trainer.member import UPDATE_NORM_EVERY
from worker.trainer.model import Model, compute_loss

ITEMS: Final = 60_000
LARGE_ITEMS: Final = 8192
"""Of colour images."""
CLASSES: Final = 10


class Steps:
    """Trains as a run does: items on the device, steps read together."""

    def __init__(
        self,
        kind: str,
        batch: int,
        *,
        encoder: nn.Module | None = None,
        shape: tuple[int, ...] = (1, 28, 28),
        precision: Precision = "float32",
        compiled: bool = False,
        measure: bool = True,
        read: bool = True,
    ) -> None:
        torch.manual_seed(0)
        built = encoder or encoders.build(ConvnetEncoder(), shape)
        network: Any = torch.compile(built.to("cuda")) if compiled else built.to("cuda")
        self._model = Model([network], precision)
        self._weights = [w for w in self._model.parameters() if w.requires_grad]
        self._loss = losses.build({"kind": kind}).to("cuda")
        self._optimizer = torch.optim.Adam(self._weights, lr=1e-3)
        items = ITEMS if shape[0] == 1 else LARGE_ITEMS
        self._train = Split(_images(items, shape).cuda(), _labels(items).cuda())
        self._order = torch.randperm(items, device="cuda")[: items // batch * batch].view(-1, batch)
        self._readings = StepBuffer(torch.device("cuda"))
        self._generator = torch.Generator()
        self._measure, self._read = measure, read
        self._step = 0

    def step(self) -> None:
        """One more, with what a run's step does."""
        self._step += 1
        self._readings.begin()
        part = self._train.take(self._order[self._step % len(self._order)])
        self._optimizer.zero_grad()
        embeddings = self._model(part)
        for own in embeddings:
            own.retain_grad()
        output = compute_loss(self._loss, embeddings, part, self._generator)
        output.value.backward()
        if not self._measure:
            self._optimizer.step()
            return
        seen = dynamics.step_numbers(output, embeddings, self._weights)
        now = self._step % UPDATE_NORM_EVERY == 0
        seen = dynamics.optimizer_step(self._optimizer, seen, self._weights, with_update_norm=now)
        self._readings.add(self._step, seen)
        if self._read and self._readings.due():
            self._readings.read()


class PeerSteps:
    """A plain loop, as its user would write it."""

    def __init__(self, kind: str, batch: int) -> None:
        torch.manual_seed(0)
        self._encoder = encoders.build(ConvnetEncoder(), (1, 28, 28)).to("cuda")
        self._loss = WAYS[kind][PEER]
        self._optimizer = torch.optim.Adam(self._encoder.parameters(), lr=1e-3)
        images = TensorDataset(_images(ITEMS, (1, 28, 28)), _labels(ITEMS))
        loader = DataLoader(
            images,
            batch,
            shuffle=True,
            drop_last=True,
            num_workers=2,
            pin_memory=True,
            persistent_workers=True,
        )
        self._batches = iter(_forever(loader))

    def step(self) -> None:
        """One more; loss and gradient norm are read."""
        items, labels = next(self._batches)
        items, labels = items.cuda(non_blocking=True), labels.cuda(non_blocking=True)
        self._optimizer.zero_grad()
        loss = self._loss(self._encoder(items), labels)
        loss.backward()
        norm = nn.utils.get_total_norm([p.grad for p in self._encoder.parameters()])  # type: ignore[misc]
        self._optimizer.step()
        loss.item(), norm.item()

    def close(self) -> None:
        """End the loader's processes."""
        del self._batches


def _forever(loader: DataLoader[Any]) -> Iterator[Any]:
    while True:
        yield from loader


def _images(count: int, shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.uint8)


def _labels(count: int) -> Tensor:
    return torch.randint(0, CLASSES, (count,), generator=torch.Generator().manual_seed(1))
