"""What it costs that a loss comes from outside: steps of plug-ins beside the same losses without.

A plug-in copy of our triplet loss beside ours, and one that lists its triplets beside a loop that
counts them by itself; both are measured at every step. Losses of pytorch-metric-learning as
plug-ins, with all that is measured of a step, beside the same loss in a bare loop that only trains.
The loops of a case train the same convnet on the same batches, and their steps alternate; medians
of blocks of steps, in processor time of one thread. Goals: at most 10 % more for the copies, and
0.95 of the bare loop's pace for the library's. Command: python -m benchmarks.plugins
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytorch_metric_learning.losses as library
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.report import Row, report
from benchmarks.row import GOAL
from contract.comparison.data import DigitsData
from contract.comparison.encoder import ConvnetEncoder
from contract.comparison.loss import PluginLoss
from tests.support.plugin_files.triplets import hinges
from tests.support.plugins import TRIPLETS, pml_ref, put, refs
from worker import data, encoders, losses
from worker.api.plugin_ref import PluginRef
from worker.data import Split
from worker.losses import LossOutput
from worker.plugins import adapter
from worker.trainer import dynamics

SIDE = 28
DIM = 64
BLOCK = 10
"""Steps whose times are added up; one of them measures the update norm."""
BLOCKS: Mapping[int, int] = {128: 7, 512: 3}
"""By batch size."""
MARGIN = 1.0
MOST_COST = 10.0
LEAST_PACE = 0.95
LISTED_BATCH = 64
"""All triplets of a larger batch do not fit the cache, and their list is all that counts."""
LIBRARY: Mapping[str, Mapping[str, float]] = {
    "ContrastiveLoss": {},
    "MultiSimilarityLoss": {},
    "CircleLoss": {},
    "NTXentLoss": {},
    "ProxyAnchorLoss": {"num_classes": 10, "embedding_size": DIM},
}
"""Losses of the library, with what they need of the data."""


TOO_LARGE = {("NTXentLoss", 512)}
"""The library makes a matrix of all positive by all negative pairs: 24 GB."""


class Made(NamedTuple):
    """What one loop computes."""

    output: Callable[[Tensor, Tensor], LossOutput] | None
    """A loss that is measured; None for a bare one."""
    value: Callable[[Tensor, Tensor], Tensor] | None
    counts: Callable[[Tensor, Tensor], tuple[Tensor, ...]] | None
    """Value and counts of a loop that counts by itself."""
    parameters: list[nn.Parameter]


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    digits = data.load(DigitsData()).dataset().train
    train = Split(functional.interpolate(digits.items, size=(SIDE, SIDE)), digits.labels)
    with tempfile.TemporaryDirectory() as folder:
        found = refs(put(Path(folder) / "losses", "triplets", TRIPLETS))
        rows = [
            row for size in BLOCKS for row in _copied(found["counted_triplet"], size, train)
        ] + _listed(found["listed_triplet"], train)
    rows += [
        row
        for name in LIBRARY
        for size in BLOCKS
        if (name, size) not in TOO_LARGE
        for row in _library(name, size, train)
    ]
    report(rows)


def _copied(ref: PluginRef, size: int, train: Split) -> list[Row]:
    ours = losses.build({"kind": "triplet", "margin": MARGIN})
    own, other = _times(_plugged(ref), Made(_measured(ours), None, None, []), size, train)
    return _cost(f"copy of our triplet, batch {size}", own, other, "our triplet")


def _listed(ref: PluginRef, train: Split) -> list[Row]:
    def counted(points: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        values, valid = hinges(points, labels, MARGIN)
        kept = torch.where(valid, values, 0)
        active, count = kept.detach() > 0, valid.sum()
        by_anchor = [one.flatten(1).any(dim=1).sum() for one in (active, valid)]
        return kept.sum() / count.clamp(min=1), kept.detach().sum(), active.sum(), *by_anchor

    own, other = _times(_plugged(ref), Made(None, None, counted, []), LISTED_BATCH, train)
    case = f"triplets listed one by one, batch {LISTED_BATCH}"
    return _cost(case, own, other, "the same, counted in the loop")


def _library(name: str, size: int, train: Split) -> list[Row]:
    bare = getattr(library, name)(**LIBRARY[name])
    own, other = _times(
        _plugged(pml_ref(name)), Made(None, bare, None, list(bare.parameters())), size, train
    )
    ours, peer = (statistics.median(took) * 1e3 / BLOCK for took in (own, other))
    return [
        Row(
            "plugins",
            f"{name}, batch {size}: step",
            ours,
            "ms",
            BLOCK * len(own),
            peer,
            "pytorch-metric-learning in a bare loop",
            least_ratio=LEAST_PACE,
        )
    ]


def _cost(case: str, own: list[float], other: list[float], peer: str) -> list[Row]:
    step, beside = (statistics.median(took) * 1e3 / BLOCK for took in (own, other))
    cost = statistics.median(100 * (a / b - 1) for a, b in zip(own, other, strict=True))
    steps = BLOCK * len(own)
    return [
        Row("plugins", f"{case}: step", step, "ms", steps, beside, peer),
        Row("plugins", f"{case}: cost", cost, "%", steps, MOST_COST, GOAL),
    ]


def _plugged(ref: PluginRef) -> Made:
    torch.manual_seed(0)
    built = adapter.build(ref, PluginLoss(name=ref.name), classes=10, dim=DIM)
    return Made(_measured(built), None, None, list(built.parameters()))


def _measured(loss: losses.Loss) -> Callable[[Tensor, Tensor], LossOutput]:
    def compute(points: Tensor, labels: Tensor) -> LossOutput:
        output: LossOutput = loss(points, labels, check_values=False)
        return output

    return compute


def _times(one: Made, other: Made, size: int, train: Split) -> tuple[list[float], list[float]]:
    """Return the seconds of blocks of steps of two loops."""
    loops = [Loop(made, size, train) for made in (one, other)]
    for loop in loops:
        loop.step(update_norm=True)  # warm up
    took: list[list[float]] = [[], []]
    for _ in range(BLOCKS.get(size, max(BLOCKS.values()))):
        block = [0.0, 0.0]
        for at in range(BLOCK):
            for which in (0, 1) if at % 2 else (1, 0):
                began = time.thread_time()
                loops[which].step(update_norm=at == 0)
                block[which] += time.thread_time() - began
        for which in (0, 1):
            took[which].append(block[which])
    return took[0], took[1]


class Loop:
    """Trains for ever on random batches."""

    def __init__(self, made: Made, batch: int, train: Split) -> None:
        torch.manual_seed(0)
        encoder = ConvnetEncoder(embedding_dim=DIM)
        self._encoder = encoders.build(encoder, (1, SIDE, SIDE))
        self._weights = list(self._encoder.parameters())
        self._optimizer = torch.optim.Adam([*self._weights, *made.parameters])
        self._made, self._train, self._batch = made, train, batch
        self._generator = torch.Generator().manual_seed(0)

    def step(self, *, update_norm: bool) -> None:
        """Train on one more batch."""
        order = torch.randperm(len(self._train.labels), generator=self._generator)[: self._batch]
        items, labels = self._train.items[order], self._train.labels[order]
        self._optimizer.zero_grad()
        embeddings: Tensor = self._encoder(items)
        if self._made.value is not None:
            self._made.value(embeddings, labels).backward()
            self._optimizer.step()
            return
        embeddings.retain_grad()
        if self._made.counts is not None:
            self._count(embeddings, labels, update_norm=update_norm)
            return
        assert self._made.output is not None, "it is one of the three"
        output = self._made.output(embeddings, labels)
        output.value.backward()
        seen = dynamics.step_numbers(output, [embeddings], self._weights)
        seen = dynamics.optimizer_step(
            self._optimizer, seen, self._weights, with_update_norm=update_norm
        )
        dynamics.read_values([seen])

    def _count(self, embeddings: Tensor, labels: Tensor, *, update_norm: bool) -> None:
        assert self._made.counts is not None, "it counts by itself"
        value, *counts = self._made.counts(embeddings, labels)
        value.backward()
        at_points = [] if embeddings.grad is None else [embeddings.grad]
        norms = {
            "value": value.detach(),
            "norm": dynamics.global_norm([w.grad for w in self._weights if w.grad is not None]),
            "at embeddings": dynamics.global_norm(at_points),
        }
        seen = dynamics.optimizer_step(
            self._optimizer, norms, self._weights, with_update_norm=update_norm
        )
        torch.stack([*seen.values(), *(one.to(torch.float32) for one in counts)]).tolist()


if __name__ == "__main__":
    main()
