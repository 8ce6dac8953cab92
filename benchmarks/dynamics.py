"""What measuring the dynamics and counting the active tuples costs a training step.

Two loops train the same small convnet on the same batches of digits, as they are and as large as
MNIST's: one measures every step, with the update norm every tenth, the other only trains, with
losses that count nothing. Both are at the same state at any time, and their steps alternate. Goal:
at most 5 % at batch 512. Command: python -m benchmarks.dynamics
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.report import Row, report
from contract.comparison.data import DigitsData
from contract.comparison.encoder import ConvnetEncoder
from contract.comparison.loss import ContrastiveLoss
from worker import data, encoders, losses
from worker.data import Split
from worker.losses import LossOutput, contrastive
from worker.losses.batch import Batch, ClassMembers
from worker.losses.distances import batch_distances
from worker.losses.forms import row_blocks
from worker.losses.triplet_weights import triplet_weights
from worker.trainer import dynamics

BLOCK = 10
"""Steps whose times are added up; one of them measures the update norm."""
BLOCKS = {(8, 64): 40, (8, 512): 12, (28, 64): 10, (28, 512): 3}
"""Of each loop, by the images' side and batch size."""
GOAL = 5.0
GOAL_BATCH = 512
MARGIN = 1.0
LOSS = ContrastiveLoss(margin=MARGIN)


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    digits = data.load(DigitsData()).dataset().train
    report([row for kind in BARE for case in BLOCKS for row in _case(kind, *case, digits)])


def _case(kind: str, side: int, batch: int, digits: Split) -> list[Row]:
    train = Split(functional.interpolate(digits.items, size=(side, side)), digits.labels)
    measuring, bare = (Loop(kind, batch, train, measure=measure) for measure in (True, False))
    for loop in (measuring, bare):
        loop.step(update_norm=True)  # warm up
    ours: list[float] = []
    peers: list[float] = []
    for _ in range(BLOCKS[side, batch]):
        took = {measuring: 0.0, bare: 0.0}
        for at in range(BLOCK):
            for loop in (measuring, bare) if at % 2 else (bare, measuring):
                began = time.thread_time()
                loop.step(update_norm=at == 0)
                took[loop] += time.thread_time() - began
        ours.append(took[measuring])
        peers.append(took[bare])
    costs = [100 * (one / other - 1) for one, other in zip(ours, peers, strict=True)]
    case, steps = f"{kind}, {side} x {side}, batch {batch}", BLOCK * len(ours)
    step, bare_step = (statistics.median(took) * 1e3 / BLOCK for took in (ours, peers))
    cost = statistics.median(costs)
    goal = (GOAL, "goal") if batch == GOAL_BATCH else (None, "")
    return [
        Row("dynamics", f"{case}: step", step, "ms", steps, bare_step, "not measured"),
        Row("dynamics", f"{case}: cost", cost, "%", steps, *goal),
    ]


class Loop:
    """Trains for ever on random batches."""

    def __init__(self, kind: str, batch: int, train: Split, *, measure: bool) -> None:
        torch.manual_seed(0)
        self._encoder = encoders.build(ConvnetEncoder(), (1, 8, 8))
        self._parameters = list(self._encoder.parameters())
        self._optimizer = torch.optim.Adam(self._parameters)
        self._loss = losses.build({"kind": kind, "margin": MARGIN})
        self._bare = BARE[kind]
        self._measure = measure
        self._train, self._batch = train, batch
        self._generator = torch.Generator().manual_seed(0)
        self.values: dict[str, float] = {}

    def step(self, *, update_norm: bool) -> None:
        """Train on one more batch."""
        order = torch.randperm(len(self._train.labels), generator=self._generator)[: self._batch]
        items, labels = self._train.items[order], self._train.labels[order]
        self._optimizer.zero_grad()
        embeddings: Tensor = self._encoder(items)
        if not self._measure:
            value = self._bare(embeddings, labels) / self._batch**2
            value.backward()
            self._optimizer.step()
            return
        embeddings.retain_grad()
        output: LossOutput = self._loss(embeddings, labels)
        output.value.backward()
        seen = dynamics.step_numbers(output, [embeddings], self._parameters)
        seen = dynamics.optimizer_step(
            self._optimizer, seen, self._parameters, with_update_norm=update_norm
        )
        self.values = dynamics.read_values([seen])[0]


def bare_contrastive(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The sum over all pairs, by the same closed form, with nothing counted."""
    points = batch_distances(_against_itself(embeddings, labels), "euclidean")
    with torch.no_grad():
        members = ClassMembers.from_labels(labels)
        slopes, sums = points.compared, []
        for here in row_blocks(slopes):
            same = members.same_class_mask(slopes.dtype, here)
            sums.append(contrastive.losses_and_slopes(slopes[here], same, LOSS).sum())
        total = torch.stack(sums).sum() / 2
    return points.with_gradient(total, slopes)


def bare_triplet(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The sum over all triplets, by the same closed form, with nothing counted beyond its need."""
    points = batch_distances(_against_itself(embeddings, labels), "euclidean")
    with torch.no_grad():
        weights = triplet_weights(points.compared, labels, MARGIN)
        total = (weights * points.compared).sum() + MARGIN * weights.clamp(min=0).sum()
        slopes = points.compared.copy_(weights.T).add_(weights)
    return points.with_gradient(total, slopes)


def _against_itself(embeddings: Tensor, labels: Tensor) -> Batch:
    return Batch(embeddings, labels, embeddings, labels, against_itself=True)


BARE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "contrastive": bare_contrastive,
    "triplet": bare_triplet,
}


if __name__ == "__main__":
    main()
