"""Precision@1 (that is Recall@1), R-precision and MAP@R against pytorch-metric-learning's
AccuracyCalculator, which searches with faiss.

The same figures on both sides, checked to 1e-6. One thread, CPU time, median of interleaved calls,
each in a process of its own; memory is what a call adds at its peak, the largest of those. Two
cases: 60,000 items of 1,000 classes, where the search is what costs; 10,000 items of 10 classes,
where each query has 999 relevant items (at 60,000 the peer would need over 10 GiB).
Goals: no slower, a tenth of the memory at 60,000 items, and under 300 MiB.
Takes about three minutes. Command: python -m benchmarks.retrieval
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import faiss
import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import Tensor

from benchmarks.report import Row, report
from worker import measure

DIM = 128
CASES = ((60_000, 1_000, 2), (10_000, 10, 5))
"""(items, classes, repeats)."""
MEMORY_RATIO = 10.0
MOST_MIB = 300.0
NAMES = {
    "retrieval.recall_at_1": "precision_at_1",
    "retrieval.r_precision": "r_precision",
    "retrieval.map_at_r": "mean_average_precision_at_r",
}
PEER = "pytorch-metric-learning"

Way = Callable[[Tensor, Tensor], dict[str, float]]


class Call(NamedTuple):
    """What one call took and gave."""

    seconds: float
    mib: float
    values: list[float]


def main() -> None:
    """Measure, report, and say which goals are met."""
    rows, verdicts = [], []
    for items, classes, repeats in CASES:
        calls: dict[Way, list[Call]] = {_ours: [], _peer: []}
        for _ in range(repeats):
            for way, done in calls.items():
                done.append(_in_child(way, items, classes))
        for ours, peer in zip(calls[_ours][0].values, calls[_peer][0].values, strict=True):
            assert abs(ours - peer) < 1e-6, calls
        case = f"{items:,} items, {classes:,} classes"
        ours_s, peer_s = (statistics.median(c.seconds for c in done) for done in calls.values())
        ours_mib, peer_mib = (max(c.mib for c in done) for done in calls.values())
        rows += [
            Row("retrieval", f"{case}: time", ours_s, "s", repeats, peer_s, PEER),
            Row("retrieval", f"{case}: memory", ours_mib, "MiB", repeats, peer_mib, PEER),
        ]
        verdicts.append((f"{case}: no slower", ours_s <= peer_s))
        if items == CASES[0][0]:
            verdicts += [
                (f"{case}: a tenth of the memory", peer_mib >= MEMORY_RATIO * ours_mib),
                (f"{case}: under {MOST_MIB:.0f} MiB", ours_mib <= MOST_MIB),
            ]
    report(rows)
    for goal, met in verdicts:
        print(f"{'met   ' if met else 'MISSED'} {goal}")


def _in_child(way: Way, items: int, classes: int) -> Call:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_call, (way, items, classes))


def _call(way: Way, items: int, classes: int) -> Call:
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    way(*_data(200, 4))  # what a first call loads is no part of it
    embeddings, labels = _data(items, classes)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, began = _status("VmRSS"), time.process_time()
    values = way(embeddings, labels)
    seconds = time.process_time() - began
    return Call(seconds, (_status("VmHWM") - before) / 1024, list(values.values()))


def _data(items: int, classes: int) -> tuple[Tensor, Tensor]:
    """Classes about centres of their own, that overlap."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(items) % classes
    embeddings = torch.randn(items, DIM, generator=generator)
    embeddings += 0.6 * torch.randn(classes, DIM, generator=generator)[labels]
    return embeddings, labels


def _ours(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    values = measure.retrieval(embeddings, labels, ks=(1,))
    return {key: values[key] for key in NAMES}


def _peer(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    calculator = AccuracyCalculator(
        include=tuple(NAMES.values()), k="max_bin_count", device=torch.device("cpu")
    )
    values = calculator.get_accuracy(embeddings, labels)
    return {key: values[name] for key, name in NAMES.items()}


def _status(field: str) -> int:
    """KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
