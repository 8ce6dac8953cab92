"""Precision@1 (that is Recall@1), R-precision and MAP@R against pytorch-metric-learning's
AccuracyCalculator, with its search by faiss, the default, and with the one by torch.

The same figures from all, checked to 1e-6. One thread, CPU time, median of interleaved calls, each
in a process of its own; memory is what a call adds at its peak, the largest of those. 6,000 items
of 10 classes, where each query has 599 relevant items, and of 100; 60,000 items of 1,000 classes,
where the search is what costs. Torch's search goes by 1,000 queries at a time, because the whole
matrix of 60,000 would take 13 GiB. Of 60,000 items in 10 classes nothing is said: both peers would
need over 10 GiB.
Goals: no slower; at 60,000 items a tenth of faiss's memory, and under 300 MiB.
Takes about four minutes; `--short` leaves 60,000 out and documents nothing.
Command: python -m benchmarks.retrieval
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import faiss
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from torch import Tensor

from benchmarks.memory import added, forget_peak, in_child
from benchmarks.report import Row, report
from worker import measure

DIM = 128
CASES = ((6_000, 10, 5), (6_000, 100, 5), (60_000, 1_000, 2))
"""(items, classes, repeats)."""
LARGE = 60_000
MEMORY_RATIO = 10.0
MOST_MIB = 300.0
QUERIES = 1_000
NAMES = {
    "retrieval.recall_at_1": "precision_at_1",
    "retrieval.r_precision": "r_precision",
    "retrieval.map_at_r": "mean_average_precision_at_r",
}
OURS = "ours"
FAISS, TORCH = "pytorch-metric-learning, faiss-cpu", "pytorch-metric-learning, torch"

Way = Callable[[Tensor, Tensor], dict[str, float]]


class Call(NamedTuple):
    """What one call took and gave."""

    seconds: float
    mib: float
    values: list[float]


def main() -> int:
    """Measure, report, and say which goals are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    short: bool = parser.parse_args().short
    cases = [case for case in CASES if not short or case[0] < LARGE]
    rows = [row for case in cases for row in _rows(*case)]
    return int(not report(rows, document=not short))


def _rows(items: int, classes: int, repeats: int) -> list[Row]:
    calls = measured(items, classes, repeats)
    seconds = {name: statistics.median(c.seconds for c in done) for name, done in calls.items()}
    mib = {name: max(c.mib for c in done) for name, done in calls.items()}
    case = f"{items:,} items, {classes:,} classes"
    rows = []
    for name in (FAISS, TORCH):
        goal = name == FAISS and items == LARGE
        rows += [
            Row(
                *("retrieval", f"{case}: time", seconds[OURS], "s", repeats, seconds[name], name),
                least_ratio=1,
            ),
            Row(
                *("retrieval", f"{case}: memory", mib[OURS], "MiB", repeats, mib[name], name),
                least_ratio=MEMORY_RATIO if goal else None,
                limit=MOST_MIB if goal else None,
            ),
        ]
    return rows


def measured(items: int, classes: int, repeats: int) -> dict[str, list[Call]]:
    """Calls by way, which alternate and all give the same figures."""
    calls: dict[str, list[Call]] = {name: [] for name in WAYS}
    for _ in range(repeats):
        for name, done in calls.items():
            done.append(in_child(_call, WAYS[name], items, classes))
    for name in (FAISS, TORCH):
        for ours, peer in zip(calls[OURS][0].values, calls[name][0].values, strict=True):
            assert abs(ours - peer) < 1e-6, calls
    return calls


def _call(way: Way, items: int, classes: int) -> Call:
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    way(*_data(200, 4))  # what a first call loads is no part of it
    embeddings, labels = _data(items, classes)
    before, began = forget_peak(), time.process_time()
    values = way(embeddings, labels)
    seconds = time.process_time() - began
    return Call(seconds, added(before), list(values.values()))


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


def _faiss(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    return _peer(embeddings, labels, None)


def _torch(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    distance = LpDistance(normalize_embeddings=False)
    return _peer(embeddings, labels, CustomKNN(distance, batch_size=QUERIES))


def _peer(embeddings: Tensor, labels: Tensor, search: CustomKNN | None) -> dict[str, float]:
    calculator = AccuracyCalculator(
        include=tuple(NAMES.values()),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=search,
    )
    values = calculator.get_accuracy(embeddings, labels)
    return {key: values[name] for key, name in NAMES.items()}


WAYS: dict[str, Way] = {OURS: _ours, FAISS: _faiss, TORCH: _torch}


if __name__ == "__main__":
    sys.exit(main())
