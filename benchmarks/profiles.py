"""Where the time of a run goes, and what was removed from it: the demo's triplet arm, and one on
10,000 images of MNIST's size for two epochs.

What stood out in a profile was removed; here each removal is undone in turn, and all at once,
beside the run as it is now, so that before and after are measured on the same machine. Each run is
a process of its own with one torch thread; CPU time of everything from reading the data to the
last evaluation, imports not counted; medians of interleaved rounds. The shares are of cProfile,
which slows what has many small calls. Beside it what the demo's runs cost over their bare training
loops: the same steps with their dynamics, and no evaluation, snapshot or building.
Command: python -m benchmarks.profiles
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from threadpoolctl import ThreadpoolController

from benchmarks.comparison import spec_of, write_data
from benchmarks.report import Row, report
from contract.catalogue.presets import DEMO
from contract.comparison.spec import Arm, ComparisonSpec, parse_spec
from worker.measure import inputs
from worker.reporting.reporter import ListReporter
from worker.slot.trainer_process import ALLOCATOR
from worker.trainer.training import Training

ITEMS: Final = 10_000
RUNS: Final = {"demo": "demo, triplet", "images": "10,000 images, two epochs, triplet"}
UNDONE: Final = {
    "allocator": "memory handed back and zeroed anew at each step",
    "layout": "convolutions on channels first",
    "pools": "thread pools looked for at each evaluation",
    "all": "all of these",
}
"""What was removed -> what it was."""
OVER_BARE: Final = 1.5
"""Goal for the CPU time of a run, as a multiple of its bare training loop's."""
PARTS: Final = {"training steps": "_take_step", "evaluations": "_measure"}
"""Part of a run -> the function that does it."""


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description="Where a run's time goes, and what was removed.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(job(**json.loads(asked.job))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), ITEMS)
        rows = [
            row
            for run in RUNS
            for row in (*_removed(run, folder, asked.rounds), *_shares(run, folder))
        ]
        rows += _over_bare(folder, asked.rounds)
    return 0 if report(rows) else 1


def _removed(run: str, folder: str, rounds: int) -> list[Row]:
    seen: dict[str, list[float]] = {undone: [] for undone in ("", *UNDONE)}
    for _ in range(rounds):
        for undone, times in seen.items():
            times.append(_in_process(run, undone, folder)["CPU"])
            print(run, undone or "as it is", times[-1], flush=True)
    ours = statistics.median(seen[""])
    return [
        Row(
            "profiles",
            f"{RUNS[run]}: CPU",
            ours,
            "s",
            rounds,
            statistics.median(seen[undone]),
            f"before: {what}",
        )
        for undone, what in UNDONE.items()
    ]


def _shares(run: str, folder: str) -> list[Row]:
    shares = _in_process(run, "", folder, profiled=True)
    return [
        Row("profiles", f"{RUNS[run]}: share of {part}", 100 * shares[part], "%", 1)
        for part in PARTS
    ]


def _over_bare(folder: str, rounds: int) -> list[Row]:
    arms = [arm.name for arm in _spec("demo").arms]
    seen = [_in_process("demo", "", folder, bare=True) for _ in range(rounds)]
    return [
        Row(
            "profiles",
            f"demo, {arm}: CPU of a run over its bare training loop",
            statistics.median(one[arm] for one in seen),
            "x",
            rounds,
            limit=OVER_BARE,
        )
        for arm in arms
    ]


def _in_process(
    run: str, undone: str, folder: str, *, profiled: bool = False, bare: bool = False
) -> dict[str, float]:
    asked = {"run": run, "undone": undone, "profiled": profiled, "bare": bare}
    kept = {} if undone in {"allocator", "all"} else ALLOCATOR
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.profiles", "--job", json.dumps(asked)],
        env={**os.environ, **kept, "LOSSBOARD_DATASETS_DIR": folder},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seen


def job(*, run: str, undone: str, profiled: bool, bare: bool) -> dict[str, float]:
    """One run in this process: its CPU seconds, the share of each part, or for each arm what its
    run costs over its bare training loop."""
    torch.set_num_threads(1)
    if undone in {"layout", "all"}:
        vars(torch)["channels_last"] = torch.contiguous_format
    if undone in {"pools", "all"}:
        vars(inputs)["_thread_pools"] = ThreadpoolController
    spec = _spec(run)
    if bare:
        return {arm.name: _run_over_loop(spec, arm) for arm in spec.arms}
    reporter = ListReporter()

    def train() -> None:
        training = Training(spec, spec.arms[-1], 0, torch.device("cpu"), reporter)
        reporter.ended(training.run(lambda: False))

    if profiled:
        return _profiled(train)
    began = time.process_time()
    train()
    return {"CPU": time.process_time() - began}


def _run_over_loop(spec: ComparisonSpec, arm: Arm) -> float:
    """Return the CPU time of a run, with building it, over that of its steps alone."""

    def built() -> Training:
        return Training(spec, arm, 0, torch.device("cpu"), ListReporter())

    built().run(lambda: False)  # what a process does only once
    began = time.process_time()
    built().run(lambda: False)
    whole = time.process_time() - began
    training = built()
    began = time.process_time()
    for epoch in range(1, spec.training_of(arm).epochs + 1):
        for batch in training.member.batches(epoch):
            training.member.step += 1
            training._take_step(batch)
            training._report()
    return whole / (time.process_time() - began)


def _spec(run: str) -> ComparisonSpec:
    if run == "demo":
        return parse_spec(DEMO)
    images = {"network": "convnet", "batch": 128, "epochs": 2, "kind": "triplet", "seed": 0}
    return spec_of(images)


def _profiled(train: Callable[[], None]) -> dict[str, float]:
    profile = cProfile.Profile()
    profile.runcall(train)
    stats: Any = pstats.Stats(profile)
    spent = {name: took for (_, _, name), (_, _, _, took, _) in stats.stats.items()}
    return {part: spent[function] / stats.total_tt for part, function in PARTS.items()}


if __name__ == "__main__":
    sys.exit(main())
