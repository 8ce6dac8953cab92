"""Batch-all triplet and contrastive loss, forward and backward, against other ways to get them.

Peers: pytorch-metric-learning with all triplets (the same number to 1e-6) and with all pairs (its
contrastive loss has another form, over the same pairs); plain broadcasting with autograd; and the
floor, the two matrix products that no exact way saves. One thread, CPU time, medians of
interleaved repeats; memory is what a call adds at its peak. Command: python -m benchmarks.losses
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_metric_learning import losses as peer_losses
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor
from torch.nn import functional

from benchmarks.report import Row, report
from worker import losses

DIM = 128
CASES = tuple((batch, classes) for batch in (128, 256, 512) for classes in (10, 100))
"""(batch size, classes). No larger: at 1,024 the peer takes seconds a call and over 1 GiB."""
BROADCAST_TRIPLETS_UP_TO = 256
"""Its B x B x B matrices take 3 GiB at 512."""
MILLISECONDS = 2000
"""Of CPU for the repeats of a case, of which there are at least 5."""
OURS, PEER = "ours", "pytorch-metric-learning"

Way = Callable[[Tensor, Tensor], Tensor]


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    cases = [(kind, batch, classes) for kind in WAYS for batch, classes in CASES]
    # First, while this process holds no memory of earlier calls that its children would inherit.
    peaks = [{name: _in_child(_peak, *case, name) for name in _ways(*case)} for case in cases]
    report([row for case, own in zip(cases, peaks, strict=True) for row in _case(*case, own)])


def _ways(kind: str, batch: int, _classes: int) -> dict[str, Way]:
    left_out = {"broadcasting"} if kind == "triplet" and batch > BROADCAST_TRIPLETS_UP_TO else {}
    return {name: way for name, way in WAYS[kind].items() if name not in left_out}


def _case(kind: str, batch: int, classes: int, peaks: dict[str, float]) -> list[Row]:
    ways = _ways(kind, batch, classes)
    embeddings, labels = _batch(batch, classes)
    values = {name: float(way(embeddings, labels).detach()) for name, way in ways.items()}
    for name in ways.keys() - {OURS, "floor"} - ({PEER} if kind == "contrastive" else set()):
        assert abs(values[name] / values[OURS] - 1) < 1e-4, values
    took: dict[str, list[float]] = {name: [] for name in ways}
    while len(took[OURS]) < 5 or sum(map(sum, took.values())) < MILLISECONDS:
        for name, way in ways.items():
            took[name].append(_once(way, embeddings, labels))
    rows = []
    for name in ways.keys() - {OURS}:
        case, n = f"{kind}, batch {batch}, {classes} classes", len(took[OURS])
        ours, peer = statistics.median(took[OURS]), statistics.median(took[name])
        rows.append(Row("losses", f"{case}: time", ours, "ms", n, peer, name))
        rows.append(Row("losses", f"{case}: memory", peaks[OURS], "MiB", 1, peaks[name], name))
    return sorted(rows, key=lambda row: (row.case, row.peer_name), reverse=True)


def _batch(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    embeddings = functional.normalize(torch.randn(batch, DIM, generator=generator), dim=1)
    return embeddings.requires_grad_(), torch.randint(0, classes, (batch,), generator=generator)


def _once(way: Way, embeddings: Tensor, labels: Tensor) -> float:
    embeddings.grad = None
    began = time.thread_time()
    way(embeddings, labels).backward()
    return (time.thread_time() - began) * 1e3


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
        "broadcasting": _broadcast_triplet,
        "floor": _floor,
    },
    "contrastive": {
        OURS: _ours("contrastive"),
        PEER: _peer(_PEER_CONTRASTIVE),
        "broadcasting": _broadcast_contrastive,
        "floor": _floor,
    },
}


if __name__ == "__main__":
    main()
