"""Batch-all triplet and contrastive loss, forward and backward, against other ways to get them.

Peers: pytorch-metric-learning with all triplets (the same number to 1e-4) and with all pairs (its
contrastive loss has another form, over the same pairs); plain broadcasting with autograd; and the
floor, the two matrix products that no exact way saves. One thread, CPU time, medians of
interleaved repeats; memory is what a call adds at its peak. Says at the end which goals are met.
Takes about three minutes. Command: python -m benchmarks.losses
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pytorch_metric_learning import losses as peer_losses
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor
from torch.nn import functional

from benchmarks.report import Row, report
from worker import losses

DIM = 128
OURS, PEER, BROADCAST, FLOOR = "ours", "pytorch-metric-learning", "broadcasting", "floor"


class Case(NamedTuple):
    """A loss on a batch."""

    kind: str
    batch: int
    classes: int

    def __str__(self) -> str:
        return f"{self.kind}, batch {self.batch}, {self.classes} classes"


CASES = (
    *(Case("contrastive", batch, classes) for batch in (128, 256, 512) for classes in (10, 100)),
    *(Case("triplet", batch, classes) for batch in (128, 256, 512, 1024) for classes in (10, 100)),
    Case("triplet", 2048, 10),
)
LARGEST = {("triplet", PEER): 1024, ("triplet", BROADCAST): 256}
"""Batch sizes: at 2,048 and 10 classes the peer needs over 12 GiB, at 1,024 over 3; the B x B x B
matrices of broadcasting take 3 GiB at 512."""
MILLISECONDS = 2000
"""Of CPU for the repeats of a case, of which there are at least FEWEST."""
FEWEST = 5
SLOW = Case("triplet", 1024, 10)
"""The peer takes many seconds: three repeats."""


class Goal(NamedTuple):
    """A bound on a row's ratio to a way, or on our memory."""

    case: Case
    measure: str
    way: str
    least_ratio: float = 0.0
    most_mib: float = float("inf")

    @property
    def text(self) -> str:
        """What is asked, in words."""
        bound = (
            f"at most {self.most_mib:.0f} MiB"
            if self.way == OURS
            else f"at most {1 / self.least_ratio:.0f} times the floor"
            if self.way == FLOOR
            else f"at least {self.least_ratio:g} times faster than {self.way}"
        )
        return f"{self.case}: {bound}"


def _goals() -> Iterator[Goal]:
    for classes in (10, 100):
        large = Case("triplet", 512, classes)
        yield Goal(large, "time", PEER, 30)
        yield Goal(large, "memory", OURS, most_mib=20)
        yield Goal(Case("triplet", 1024, classes), "time", PEER, 80)
        yield Goal(Case("contrastive", 512, classes), "time", PEER, 1.8)
        for kind in WAYS:
            yield Goal(Case(kind, 512, classes), "time", FLOOR, 1 / 8)
    yield Goal(Case("triplet", 2048, 10), "memory", OURS, most_mib=150)


Way = Callable[[Tensor, Tensor], Tensor]


def main() -> None:
    """Measure, report, and say which goals are met."""
    torch.set_num_threads(1)
    # First, while this process holds no memory of earlier calls that its children would inherit.
    peaks = [{name: _in_child(_peak, *case, name) for name in _ways(case)} for case in CASES]
    rows = [row for case, own in zip(CASES, peaks, strict=True) for row in _measured(case, own)]
    report(rows)
    for goal in _goals():
        row = next(
            row
            for row in rows
            if row.case == f"{goal.case}: {goal.measure}" and goal.way in {OURS, row.peer_name}
        )
        ratio = row.ratio if row.ratio is not None else 0.0
        met = row.ours <= goal.most_mib if goal.way == OURS else ratio >= goal.least_ratio
        seen = (
            f"{row.ours:.3g} MiB"
            if goal.way == OURS
            else f"{1 / ratio:.3g}"
            if goal.way == FLOOR
            else f"{ratio:.3g}"
        )
        print(f"{'met   ' if met else 'MISSED'} {goal.text}: {seen}")


def _ways(case: Case) -> dict[str, Way]:
    return {
        name: way
        for name, way in WAYS[case.kind].items()
        if case.batch <= LARGEST.get((case.kind, name), case.batch)
    }


def _measured(case: Case, peaks: dict[str, float]) -> list[Row]:
    ways = _ways(case)
    embeddings, labels = _batch(case.batch, case.classes)
    for way in ways.values():  # a first call is not like the others
        way(*_batch(16, 4)).backward()
    took: dict[str, list[float]] = {name: [] for name in ways}
    values: dict[str, float] = {}
    fewest = 3 if case == SLOW else FEWEST
    while len(took[OURS]) < fewest or sum(map(sum, took.values())) < MILLISECONDS:
        for name, way in ways.items():
            values[name], milliseconds = _once(way, embeddings, labels)
            took[name].append(milliseconds)
    for name in ways.keys() - {OURS, FLOOR} - ({PEER} if case.kind == "contrastive" else set()):
        assert abs(values[name] / values[OURS] - 1) < 1e-4, values
    rows = []
    for name in [other for other in ways if other != OURS]:
        ours, peer, n = (
            statistics.median(took[OURS]),
            statistics.median(took[name]),
            len(took[OURS]),
        )
        rows.append(Row("losses", f"{case}: time", ours, "ms", n, peer, name))
        rows.append(Row("losses", f"{case}: memory", peaks[OURS], "MiB", 1, peaks[name], name))
    return sorted(rows, key=lambda row: row.case, reverse=True)


def _batch(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    embeddings = functional.normalize(torch.randn(batch, DIM, generator=generator), dim=1)
    return embeddings.requires_grad_(), torch.randint(0, classes, (batch,), generator=generator)


def _once(way: Way, embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    """The value, and the milliseconds it and its gradient took."""
    embeddings.grad = None
    began = time.thread_time()
    value = way(embeddings, labels)
    value.backward()
    return float(value.detach()), (time.thread_time() - began) * 1e3


def _in_child(measure: Callable[..., float], *args: Any) -> float:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(measure, args)


def _peak(kind: str, batch: int, classes: int, name: str) -> float:
    """MiB that a call adds to the resident memory of this process, the first small one aside."""
    way = WAYS[kind][name]
    _once(way, *_batch(16, 4))
    embeddings, labels = _batch(batch, classes)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    _once(way, embeddings, labels)
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    """KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def _ours(kind: str) -> Way:
    loss = losses.build({"kind": kind})

    def way(embeddings: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = loss(embeddings, labels).value
        return value

    return way


def _floor(embeddings: Tensor, _labels: Tensor) -> Tensor:
    """One product forward, B x B; backward one with embeddings of B x D."""
    return _Products.apply(embeddings)  # type: ignore[no-untyped-call, no-any-return]


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embeddings: Tensor) -> Tensor:
        products = embeddings @ embeddings.T
        ctx.save_for_backward(embeddings, products)
        return products[0, 0]

    @staticmethod
    def backward(ctx: Any, *_grads: Tensor) -> Tensor:
        embeddings, products = ctx.saved_tensors
        result: Tensor = products @ embeddings
        return result


def _distances(power: int) -> LpDistance:
    return LpDistance(normalize_embeddings=False, p=2, power=power)


_PEER_TRIPLET = peer_losses.TripletMarginLoss(
    margin=1.0, triplets_per_anchor="all", distance=_distances(2), reducer=MeanReducer()
)
_PEER_CONTRASTIVE = peer_losses.ContrastiveLoss(distance=_distances(1), reducer=MeanReducer())


def _peer(loss: torch.nn.Module) -> Way:
    def way(embeddings: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = loss(embeddings, labels)
        return value

    return way


def _broadcast_triplet(embeddings: Tensor, labels: Tensor) -> Tensor:
    """A hinge for each of B x B x B, the valid ones kept."""
    squared = torch.cdist(embeddings, embeddings).square()
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    valid = positive[:, :, None] & ~same[:, None, :]
    return (squared[:, :, None] - squared[:, None, :] + 1).relu()[valid].mean()


def _broadcast_contrastive(embeddings: Tensor, labels: Tensor) -> Tensor:
    distances = torch.cdist(embeddings, embeddings)
    same = labels[:, None] == labels[None, :]
    values = torch.where(same, distances.square(), (1 - distances).relu().square())
    return values.triu(diagonal=1).sum() / (len(labels) * (len(labels) - 1) / 2)


WAYS: dict[str, dict[str, Way]] = {
    "triplet": {
        OURS: _ours("triplet"),
        PEER: _peer(_PEER_TRIPLET),
        BROADCAST: _broadcast_triplet,
        FLOOR: _floor,
    },
    "contrastive": {
        OURS: _ours("contrastive"),
        PEER: _peer(_PEER_CONTRASTIVE),
        BROADCAST: _broadcast_contrastive,
        FLOOR: _floor,
    },
}


if __name__ == "__main__":
    main()
