"""How long verification of a test split takes, and how much memory.

10,000 items of 100 classes in 64 dimensions have 49,995,000 pairs. Ours counts them a block at a
time. The peer is scikit-learn: `pdist` of SciPy, then `roc_auc_score`, `average_precision_score`
and `roc_curve` of all distances. Goal: 2 seconds and 300 MiB. The figures of both agree to 1e-4,
or the benchmark ends with an error, also where one item lies 10,000 times as far away as the
others. Beside it: the threshold of 5,000 items applied to 10,000, once with nearly all of them in
one class; 1,400 items, whose distances are all sorted; and smaller embeddings: Recall@1 and MAP@R
of 2,000 items in eight ways.

One thread; medians of seconds of CPU time, each in a process of its own, which tells the memory.
Takes a minute.
Command: python -m benchmarks.verification
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import pdist
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional

from benchmarks.memory import added, forget_peak, in_child
from benchmarks.report import Row, report
from worker import measure

ITEMS, CLASSES, DIMENSIONS = 10_000, 100, 64
FITTED, FEW, SORTED = 5_000, 3_000, 1_400
LIMIT_S, LIMIT_MIB = 2.0, 300.0
REPEATS = 5
PEER = "scikit-learn"
AGREE = 1e-4


def main() -> int:
    """Measure ours and the peer's, and compare their figures."""
    torch.set_num_threads(1)
    ours = [in_child(measured, verify) for _ in range(REPEATS)]
    peer = [in_child(measured, verify_by_scikit_learn) for _ in range(2)]
    compare(ours[0][2], peer[0][2])
    compare(in_child(verify_few, True), in_child(verify_by_scikit_learn, FEW, True))
    sorted_ = [in_child(measured, verify_sorted) for _ in range(REPEATS)]
    applied = [in_child(measured, apply_threshold) for _ in range(REPEATS)]
    one_class = [in_child(measured, apply_to_one_class) for _ in range(REPEATS)]
    smaller = [in_child(measured, make_smaller) for _ in range(REPEATS)]
    case = f"{ITEMS:,} items"
    seconds, mib = middle(ours)
    peer_s, peer_mib = middle(peer)
    rows = [
        Row("verification", f"{case}: time", seconds, "s", REPEATS, peer_s, PEER, limit=LIMIT_S),
        Row(
            "verification", f"{case}: memory", mib, "MiB", REPEATS, peer_mib, PEER, limit=LIMIT_MIB
        ),
        *(
            row
            for name, runs in (
                (f"{case}: threshold of {FITTED:,} others", applied),
                (f"{case}: threshold, one large class", one_class),
                (f"{SORTED:,} items, sorted", sorted_),
            )
            for row in (
                Row("verification", f"{name}: time", middle(runs)[0], "s", REPEATS, limit=LIMIT_S),
                Row(
                    "verification",
                    f"{name}: memory",
                    middle(runs)[1],
                    "MiB",
                    REPEATS,
                    limit=LIMIT_MIB,
                ),
            )
        ),
        Row("verification", "smaller embeddings, 2,000 items", middle(smaller)[0], "s", REPEATS),
    ]
    return int(not report(rows, versions={"scikit-learn": metadata.version("scikit-learn")}))


def compare(ours: Mapping[str, float], peer: Mapping[str, float]) -> None:
    """End with an error where figures differ."""
    for key, value in peer.items():
        if abs(ours[key] - value) > AGREE:
            raise SystemExit(f"{key}: {ours[key]} here, {value} by {PEER}")


def data(items: int = ITEMS, far: bool = False) -> tuple[Tensor, Tensor]:
    """Return unit vectors around the directions of their classes, and labels.

    Args:
        items: how many.
        far: whether the first one is 10,000 times as long.
    """
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(items) % CLASSES
    centres = torch.randn(CLASSES, DIMENSIONS, generator=generator)
    noise = 1.5 * torch.randn(items, DIMENSIONS, generator=generator)
    points = functional.normalize(centres[labels] + noise)
    points[0] *= 10_000 if far else 1
    return points, labels


def verify() -> dict[str, float]:
    """Ours."""
    return measure.verification(*data())


def verify_few(far: bool) -> dict[str, float]:
    """Ours of fewer items, still too many pairs to sort."""
    return measure.verification(*data(FEW, far))


def verify_sorted() -> dict[str, float]:
    """Ours of so few items that all distances are sorted."""
    return measure.verification(*data(SORTED))


def apply_threshold() -> dict[str, float]:
    """The threshold of other items, applied."""
    threshold = measure.best_threshold(measure.count_pairs(*data(FITTED)))
    return measure.at_threshold(*data(), threshold)


def apply_to_one_class() -> dict[str, float]:
    """As `apply_threshold`, with all but 200 items in one class."""
    threshold = measure.best_threshold(measure.count_pairs(*data(FITTED)))
    embeddings, _ = data()
    return measure.at_threshold(embeddings, (torch.arange(ITEMS) < 200).long(), threshold)


def verify_by_scikit_learn(items: int = ITEMS, far: bool = False) -> dict[str, float]:
    """The same figures by libraries."""
    embeddings, labels = data(items, far)
    one, other = np.triu_indices(items, 1)
    same = labels.numpy()[one] == labels.numpy()[other]
    near = -pdist(embeddings.double().numpy())
    far, tar, _ = roc_curve(same, near)
    return {
        "verification.roc_auc": float(roc_auc_score(same, near)),
        "verification.average_precision": float(average_precision_score(same, near)),
        "verification.tar_at_far_1_in_100": float(tar[far <= 1 / 100].max()),
    }


def make_smaller() -> dict[str, float]:
    """Recall@1 and MAP@R of smaller embeddings."""
    embeddings, labels = data()
    return measure.smaller_embeddings(embeddings, labels, embeddings[:5_000], normalize=True)


def measured(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return seconds of CPU time, MiB that it adds, and what it returns."""
    with threadpool_limits(1):
        before, began = forget_peak(), time.process_time()
        found = work()
        return time.process_time() - began, added(before), found


def middle(runs: list[tuple[float, float, Any]]) -> tuple[float, float]:
    """Return the medians of seconds and MiB."""
    return statistics.median(s for s, _, _ in runs), statistics.median(m for _, m, _ in runs)


if __name__ == "__main__":
    sys.exit(main())
