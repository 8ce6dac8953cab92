"""Batch-all triplet and contrastive loss, forward and backward, against other ways to get them.

Peers: pytorch-metric-learning with all triplets (the same number and gradient to 1e-4) and with all
pairs (its contrastive loss has another form, over the same pairs); sentence-transformers' batch-all
triplet loss with squared distances, which lists the positive pairs (the same gradient as ours with
the mean over the active triplets), in a process of .venv-peers, which `make bench` makes; plain
broadcasting with autograd, for the contrastive loss; and the floor, the two matrix products that no
exact way saves. Batches hold 2, 4, 10 or 100 items a class; 64 of one class, which have no triplet,
are left out. A peer whose indices or matrices alone would take more than 4 GiB is left out and says
so. One thread, CPU time, medians of interleaved repeats; memory is what a call adds at its peak.
Goals: no case behind pytorch-metric-learning or sentence-transformers. At batch 512 with 10 and 100
a class triplet 30 times faster than pytorch-metric-learning, 80 times at 1,024, contrastive 1.8
times; both within 8 times the floor; triplet within 20 MiB, and within 150 at 2,048.
Takes about five minutes; `--short` stops at batch 512 and documents nothing.
Command: python -m benchmarks.losses
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.loss_batch import Way, call, make_batch
from benchmarks.loss_peer import NAME as LISTING
from benchmarks.loss_peer import LossPeer
from benchmarks.loss_ways import BROADCAST, FLOOR, OURS, PEER, WAYS, ours
from benchmarks.memory import added, forget_peak, in_child
from benchmarks.report import Row, report


class Case(NamedTuple):
    """A loss on a batch."""

    kind: str
    batch: int
    items: int
    """Of a class."""

    def __str__(self) -> str:
        return f"{self.kind}, batch {self.batch}, {self.items} a class"


CASES = tuple(
    Case(kind, batch, items)
    for kind in ("contrastive", "triplet")
    for batch in (64, 128, 256, 512, 1024, 2048)
    for items in (2, 4, 10, 100)
    if items < batch
)
SHORT = 512
"""Largest batch of a trial."""
WEIGHED = (512, 2048)
"""Batches whose memory is measured, with 10 items a class."""
MOST_GIB = 4.0
"""Memory that a peer may use in any case."""
MILLISECONDS = 1000
"""Of CPU for the rounds of a case, of which there are at least FEWEST."""
FEWEST = 5
FEWEST_LONG = 3
"""Where one round takes longer than MILLISECONDS."""
SWIFT = 3
"""Repeats of a way in its turn, after a call that does not count: the way before it left other code
and data in the caches."""
SLOW = 20.0
"""Milliseconds beyond which a way is called once in its turn."""
RATIOS = {
    ("triplet", 512, PEER): 30.0,
    ("triplet", 1024, PEER): 80.0,
    ("contrastive", 512, PEER): 1.8,
    ("triplet", 512, FLOOR): 1 / 8,
    ("contrastive", 512, FLOOR): 1 / 8,
}
"""Goals for time with 10 and 100 items a class, by kind, batch and way."""
MEMORY = {("triplet", 512): 20.0, ("triplet", 2048): 150.0}
"""Goals: MiB, by kind and batch."""


def main() -> int:
    """Measure, report, and say which goals are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    short: bool = parser.parse_args().short
    torch.set_num_threads(1)
    cases = [case for case in CASES if not short or case.batch <= SHORT]
    # First, while this process holds no memory of earlier calls that its children would inherit.
    rows = [row for case in cases for row in _memory(case)]
    with tempfile.TemporaryDirectory() as folder, LossPeer(Path(folder)) as peer:
        rows = [row for case in cases for row in _times(case, peer)] + rows
    versions = {LISTING: peer.version} if peer.version else {}
    return int(not report(rows, document=not short, versions=versions))


def _memory(case: Case) -> list[Row]:
    if case.batch not in WEIGHED or case.items != 10:
        return []
    peaks = {name: in_child(_peak, *case, name) for name in _ways(case)}
    limit = MEMORY.get((case.kind, case.batch))
    return [
        Row(
            *("losses", f"{case}: memory", peaks[OURS], "MiB", 1, peaks[name], name),
            limit=limit if name == FLOOR else None,
        )
        for name in peaks
        if name != OURS
    ]


def _times(case: Case, peer: LossPeer) -> list[Row]:
    names = [name for name in WAYS[case.kind] if name != OURS]
    reasons = {
        name: f"{name} (would need over {_least_gib(case, name):.0f} GiB)"
        for name in (*names, LISTING)
        if _least_gib(case, name) > MOST_GIB
    }
    if case.kind == "triplet":
        names.insert(1, LISTING)
        if peer.missing:
            reasons[LISTING] = f"{LISTING} ({peer.missing})"
    asked = peer if LISTING in names and LISTING not in reasons else None
    took = measured(case, _ways(case), peer=asked)
    own, n = statistics.median(took[OURS]), len(took[OURS])
    rows = []
    for name in names:
        figure = None if name in reasons else statistics.median(took[name])
        goal = RATIOS.get((case.kind, case.batch, name)) if case.items >= 10 else None
        if goal is None and name in {PEER, LISTING}:
            goal = 1.0
        rows.append(
            Row(
                *("losses", f"{case}: time", own, "ms", n, figure, reasons.get(name, name)),
                least_ratio=None if figure is None else goal,
            )
        )
    return rows


def _ways(case: Case) -> dict[str, Way]:
    """Return the ways that fit into memory."""
    ways = WAYS[case.kind].items()
    return {name: way for name, way in ways if _least_gib(case, name) <= MOST_GIB}


def _least_gib(case: Case, name: str) -> float:
    """What a way needs whatever else it does: three indices of 8 bytes a triplet, or three float32
    matrices of positive pairs x batch."""
    if case.kind == "triplet" and name in {PEER, LISTING}:
        _, labels = make_batch(case.batch, case.items)
        sizes = torch.bincount(labels)
        pairs = sizes * (sizes - 1)
        if name == LISTING:
            return 12 * int(pairs.sum()) * case.batch / 2**30
        return 24 * int((pairs * (case.batch - sizes)).sum()) / 2**30
    return 0.0


def measured(
    case: Case,
    ways: dict[str, Way],
    milliseconds: float = MILLISECONDS,
    *,
    peer: LossPeer | None = None,
) -> dict[str, list[float]]:
    """Milliseconds of CPU of each repeat, by way; all exact ways give the same gradient."""
    batch = make_batch(case.batch, case.items)
    for way in ways.values():  # a first call is not like the others
        way(*make_batch(16, 4)).backward()
    names = [*ways, *([LISTING] if peer else [])]
    took: dict[str, list[float]] = {name: [] for name in names}
    spent, fewest = 0.0, FEWEST
    while min(map(len, took.values())) < fewest or spent < milliseconds:
        for name in names:
            repeats = 1 + SWIFT if took[name] and took[name][-1] < SLOW else 1
            if peer and name == LISTING:
                needed = peer.took(case.batch, case.items, repeats)
            else:
                needed = [call(ways[name], *batch)[1] for _ in range(repeats)]
            took[name] += needed[-SWIFT:]
            spent += sum(needed)
        if spent > milliseconds and len(took[OURS]) == 1:
            fewest = FEWEST_LONG
    _check(case, ways, peer)
    return took


def _check(case: Case, ways: dict[str, Way], peer: LossPeer | None) -> None:
    """Hold the gradients of all exact ways against ours."""
    own, other = make_batch(case.batch, case.items), make_batch(case.batch, case.items)
    exact = {PEER} if case.kind == "triplet" else {BROADCAST}
    for name in exact & ways.keys():
        call(ways[OURS], *own)
        call(ways[name], *other)
        torch.testing.assert_close(own[0].grad, other[0].grad, rtol=1e-3, atol=1e-6)
    if peer:
        call(ours("triplet", "mean_active"), *own)
        found = peer.gradient(case.batch, case.items)
        torch.testing.assert_close(own[0].grad, found, rtol=1e-3, atol=1e-6)


def _peak(kind: str, batch: int, items: int, name: str) -> float:
    """Return the MiB that a call adds to the resident memory, after a small first call."""
    way = WAYS[kind][name]
    call(way, *make_batch(16, 4))
    large = make_batch(batch, items)
    before = forget_peak()
    call(way, *large)
    return added(before)


if __name__ == "__main__":
    sys.exit(main())
