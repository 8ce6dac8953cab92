"""A whole comparison, contrastive and triplet, every diagnostic included: ours beside a careful
script with pytorch-metric-learning (its losses over all tuples, AccuracyCalculator with faiss, a
DataLoader) that logs the same numbers at the same times.

Both train the same small convnet from the same weights on the same items, ten classes of 28 x 28
images of MNIST's format, drawn by a fixed seed; and a head of 128 hidden units on 512 features.
Each run is a process of its own with one torch thread; ours and the peer's follow each other in
turn. Imports do not count; reading the data, every step and every evaluation do. CPU time includes
child processes. The contrastive losses differ: the peer's does not square the pull or the push.

A full job is 5 seeds; all seeds take as long, so one of each is measured, at 10,000 items and two
epochs, within about six minutes (`--seeds 5 --items 60000 --epochs 10` for the rest of the day).
Goals: at least twice as fast at batch 128, five times at 512, less than half of the memory.
Command: python -m benchmarks.comparison
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks import comparison_peer
from benchmarks.report import Row, report
from contract.comparison.spec import ComparisonSpec, parse_spec
from tests.support import tiny_mnist
from worker import data, encoders
from worker.reporting.reporter import ListReporter
from worker.slot.trainer_process import ALLOCATOR
from worker.torch_utils import stream_seed
from worker.trainer.attempt import trainer_of

PEER: Final = "pytorch-metric-learning"
KINDS: Final = ("contrastive", "triplet")
CASES: Final = (("convnet", 128), ("convnet", 512), ("head", 128), ("head", 512))
GOALS: Final = {128: 2.0, 512: 5.0}
MEMORY: Final = 2.0
FEATURES: Final = 512


def main() -> int:
    """Measure each case in separate processes and report. Returns 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description="A whole comparison beside a peer's.")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(job(json.loads(asked.job))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), asked.items)
        rows = [
            row
            for network, batch in CASES
            for row in _case(network, batch, asked.epochs, range(asked.seeds), folder)
        ]
    return 0 if report(rows, document=len(sys.argv) == 1) else 1


def _case(network: str, batch: int, epochs: int, seeds: range, folder: str) -> list[Row]:
    seen: dict[str, list[dict[str, float]]] = {"ours": [], PEER: []}
    for seed in seeds:
        for who, runs in seen.items():
            asked = {
                "who": who,
                "network": network,
                "batch": batch,
                "epochs": epochs,
                "seed": seed,
                "folder": folder,
            }
            both = [_in_process(asked | {"kind": kind}) for kind in KINDS]
            runs.append(
                {
                    "wall": sum(run["wall"] for run in both),
                    "CPU": sum(run["CPU"] for run in both),
                    "memory": max(run["memory"] for run in both),
                    **{kind: run["recall"] for kind, run in zip(KINDS, both, strict=True)},
                }
            )

    def row(what: str, case: str, unit: str, **goal: Any) -> Row:
        ours, peer = (statistics.median(run[what] for run in runs) for runs in seen.values())
        where = f"{network}, batch {batch}"
        return Row("comparison", f"{where}: {case}", ours, unit, len(seeds), peer, PEER, **goal)

    return [
        row("wall", "both arms, wall", "s", least_ratio=GOALS[batch]),
        row("CPU", "both arms, CPU", "s"),
        row("memory", "peak memory", "MiB", least_ratio=MEMORY),
        *(row(kind, f"{kind}, Recall@1", "", higher_is_better=True) for kind in KINDS),
    ]


def _in_process(asked: dict[str, Any]) -> dict[str, float]:
    ours = ALLOCATOR if asked["who"] == "ours" else {}  # as a slot starts its trainers
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.comparison", "--job", json.dumps(asked)],
        env={**os.environ, **ours, "LOSSBOARD_DATASETS_DIR": asked["folder"]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print({key: asked[key] for key in ("who", "kind", "network", "batch")}, seen, flush=True)
    return seen


def job(asked: dict[str, Any]) -> dict[str, float]:
    """Run once in this process. Returns the cost, and the Recall@1 on the test split."""
    torch.set_num_threads(1)
    spec = spec_of(asked)
    began, cpu = time.perf_counter(), _cpu_s()
    if asked["who"] == "ours":
        reporter = ListReporter()
        arm, device = spec.arms[0], torch.device("cpu")
        training = trainer_of(spec, arm, device)(spec, arm, asked["seed"], device, reporter)
        reporter.ended(training.run(lambda: False))
        recall = reporter.series["test.retrieval.recall_at_1"][-1][1] or 0.0
    else:
        items = data.load(spec.data).dataset()
        torch.manual_seed(stream_seed(asked["seed"], "encoder"))
        network = encoders.build(spec.encoder, items.item_shape)
        logged = comparison_peer.train(
            asked["kind"], network, items, batch=asked["batch"], epochs=asked["epochs"]
        )
        recall = logged["test.precision_at_1"][-1][1]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "wall": time.perf_counter() - began,
        "CPU": _cpu_s() - cpu,
        "memory": most,
        "recall": recall,
    }


def spec_of(asked: dict[str, Any]) -> ComparisonSpec:
    """Return the spec of a comparison of one arm."""
    head = asked["network"] == "head"
    return parse_spec(
        {
            "name": "benchmark",
            "data": {"kind": "features", "file": f"{asked['folder']}/features.npz"}
            if head
            else {"kind": "mnist"},
            "encoder": {"kind": "mlp", "hidden": 128, "layers": 1, "embedding_dim": 64}
            if head
            else {"kind": "convnet", "embedding_dim": 64},
            "training": {"epochs": asked["epochs"], "batch_size": asked["batch"]},
            "arms": [{"name": "a", "loss": {"kind": asked["kind"]}}],
            "seeds": [asked["seed"]],
        }
    )


def write_data(folder: Path, count: int) -> None:
    """Images in MNIST's files and a table of features, ten classes each, by a fixed seed."""
    rng = np.random.default_rng(0)
    coarse = rng.random((10, 7, 7))
    patterns = np.kron(coarse, np.ones((4, 4)))
    for part, many in (("train", count), ("t10k", count // 6)):
        labels = rng.integers(0, 10, many)
        shifts = rng.integers(-3, 4, (many, 2))
        images = np.empty((many, 28, 28), dtype=np.uint8)
        for at, (label, shift) in enumerate(zip(labels, shifts, strict=True)):
            seen = np.roll(patterns[label], shift, axis=(0, 1)) + rng.normal(0, 0.35, (28, 28))
            images[at] = (seen.clip(0, 1) * 255).astype(np.uint8)
        raw = tiny_mnist.raw(folder)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(tiny_mnist.idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(tiny_mnist.idx(labels))
    labels = rng.integers(0, 10, count)
    centres = rng.normal(0, 1, (10, FEATURES))
    features = centres[labels] * 0.25 + rng.normal(0, 1, (count, FEATURES))
    np.savez(folder / "features.npz", features=features.astype(np.float32), labels=labels)


def _cpu_s() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    sys.exit(main())
