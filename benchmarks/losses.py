"""Batch-all triplet and contrastive loss, forward and backward, against other ways to get them.

Peers: pytorch-metric-learning with all triplets (the same number to 1e-4) and with all pairs (its
contrastive loss has another form, over the same pairs); plain broadcasting with autograd; and the
floor, the two matrix products that no exact way saves. A peer whose indices or matrices alone
would take more than 4 GiB is left out and says so. One thread, CPU time, medians of interleaved
repeats; memory is what a call adds at its peak. Goals, at batch 512 unless said: triplet 30 times
faster than pytorch-metric-learning, 80 times at 1,024, contrastive 1.8 times; both within 8 times
the floor; triplet within 20 MiB, and within 150 at 2,048 and 10 classes.
Takes about four minutes; `--short` stops at batch 512 and documents nothing.
Command: python -m benchmarks.losses
"""

import argparse
import statistics
import sys
import time
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.loss_ways import BROADCAST, FLOOR, OURS, PEER, WAYS, Way
from benchmarks.memory import added, forget_peak, in_child
from benchmarks.report import Row, report

DIM = 128


class Case(NamedTuple):
    """A loss on a batch."""

    kind: str
    batch: int
    classes: int

    def __str__(self) -> str:
        return f"{self.kind}, batch {self.batch}, {self.classes} classes"


CASES = tuple(
    Case(kind, batch, classes)
    for kind in ("contrastive", "triplet")
    for batch in (128, 256, 512, 1024, 2048, 4096)
    for classes in (10, 100)
)
SHORT = 512
"""Largest batch of a trial."""
MOST_GIB = 4.0
"""Memory that a peer may use in any case."""
MILLISECONDS = 2000
"""Of CPU for the rounds of a case, of which there are at least FEWEST."""
FEWEST = 5
FEWEST_LONG = 3
"""Where all ways together take longer than MILLISECONDS."""
SWIFT = 3
"""Ours and the floor are far faster than the peers and repeated that much more often."""
RATIOS = {
    ("triplet", 512, PEER): 30.0,
    ("triplet", 1024, PEER): 80.0,
    ("contrastive", 512, PEER): 1.8,
    ("triplet", 512, FLOOR): 1 / 8,
    ("contrastive", 512, FLOOR): 1 / 8,
}
"""Goals for time, by kind, batch and way."""
MEMORY = {
    Case("triplet", 512, 10): 20.0,
    Case("triplet", 512, 100): 20.0,
    Case("triplet", 2048, 10): 150.0,
}
"""Goals: MiB."""


def main() -> int:
    """Measure, report, and say which goals are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    short: bool = parser.parse_args().short
    torch.set_num_threads(1)
    cases = [case for case in CASES if not short or case.batch <= SHORT]
    # First, while this process holds no memory of earlier calls that its children would inherit.
    peaks = [{name: in_child(_peak, *case, name) for name in _ways(case)} for case in cases]
    rows = [row for case, own in zip(cases, peaks, strict=True) for row in _rows(case, own)]
    return int(not report(rows, document=not short))


def _rows(case: Case, peaks: dict[str, float]) -> list[Row]:
    took = measured(case, _ways(case))
    times, memory = [], []
    for name in [other for other in WAYS[case.kind] if other != OURS]:
        ours, n = statistics.median(took[OURS]), len(took[OURS])
        if name not in took:
            reason = f"{name} (would need over {_least_gib(case, name):.0f} GiB)"
            times.append(Row("losses", f"{case}: time", ours, "ms", n, None, reason))
            memory.append(Row("losses", f"{case}: memory", peaks[OURS], "MiB", 1, None, reason))
            continue
        peer, goal = statistics.median(took[name]), RATIOS.get((case.kind, case.batch, name))
        limit = MEMORY.get(case) if name == FLOOR else None
        times.append(
            Row("losses", f"{case}: time", ours, "ms", n, peer, name, least_ratio=goal),
        )
        memory.append(
            Row("losses", f"{case}: memory", peaks[OURS], "MiB", 1, peaks[name], name, limit=limit)
        )
    return times + memory


def _ways(case: Case) -> dict[str, Way]:
    """Return the ways that fit into memory."""
    ways = WAYS[case.kind].items()
    return {name: way for name, way in ways if _least_gib(case, name) <= MOST_GIB}


def _least_gib(case: Case, name: str) -> float:
    """What a way needs whatever else it does: three indices of 8 bytes a triplet, or two float32
    matrices of batch x batch x batch."""
    if case.kind == "triplet" and name == PEER:
        _, labels = _batch(case.batch, case.classes)
        sizes = torch.bincount(labels)
        return 24 * int((sizes * (sizes - 1) * (case.batch - sizes)).sum()) / 2**30
    if case.kind == "triplet" and name == BROADCAST:
        return 8 * case.batch**3 / 2**30
    return 0.0


def measured(
    case: Case, ways: dict[str, Way], milliseconds: float = MILLISECONDS
) -> dict[str, list[float]]:
    """Milliseconds of CPU of each repeat, by way; all exact ways give the same number."""
    embeddings, labels = _batch(case.batch, case.classes)
    for way in ways.values():  # a first call is not like the others
        way(*_batch(16, 4)).backward()
    took: dict[str, list[float]] = {name: [] for name in ways}
    values: dict[str, float] = {}
    spent, fewest = 0.0, FEWEST
    while len(took[OURS]) < SWIFT * fewest or spent < milliseconds:
        for name, way in ways.items():
            for _ in range(SWIFT if name in {OURS, FLOOR} else 1):
                values[name], needed = _once(way, embeddings, labels)
                took[name].append(needed)
                spent += needed
        if len(took[OURS]) == SWIFT and spent > milliseconds:
            fewest = FEWEST_LONG
    for name in ways.keys() - {OURS, FLOOR} - ({PEER} if case.kind == "contrastive" else set()):
        assert abs(values[name] / values[OURS] - 1) < 1e-4, values
    return took


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


def _peak(kind: str, batch: int, classes: int, name: str) -> float:
    """Return the MiB that a call adds to the resident memory, after a small first call."""
    way = WAYS[kind][name]
    _once(way, *_batch(16, 4))
    embeddings, labels = _batch(batch, classes)
    before = forget_peak()
    _once(way, embeddings, labels)
    return added(before)


if __name__ == "__main__":
    sys.exit(main())
