"""What more slots bring: a comparison of equal runs on one slot and on two, and a plan for 64.

Measured from the submit to the last run's end, on a product whose trainers are warm; beside
it stands what backend.runs.fair_share.plan_starts, which gives the queue page its times, says of
the same runs when each takes as long as the runs on one slot did. The plan for 64 slots is that
same calculation, for a machine that has room for them: this one has not. How much more two plain
training loops get done side by side than one alone, without any of the product, says what the
machine's cores allow.

Run as `python -m benchmarks.queue_plan [--runs 6]`. Nothing else should load the machine.
"""

import argparse
import datetime
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from backend.runs.fair_share import Slot, Turns, WaitingRun, plan_starts
from benchmarks.report import Row, report
from contract.comparison.training import ANY_DEVICE
from tests.support.specs import small
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

BENCH: Final = "queue_plan"
MANY_SLOTS, MANY_RUNS = 64, 640
WARM_S: Final = 10.0
"""From a slot's start until what its trainers are forked from has imported everything."""
LOOP: Final = """
import sys, time, torch
torch.set_num_threads(1)
net = torch.nn.Sequential(torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 3))
images = torch.rand(64, 1, 8, 8)
print(flush=True)
sys.stdin.readline()
began = time.perf_counter()
for _ in range(3000):
    net.zero_grad()
    net(images).square().mean().backward()
print(time.perf_counter() - began)
"""
"""A training loop of about the size of the runs'; it begins when a line comes on stdin."""


def main() -> int:
    """Measure one and two slots, play 64."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue_plan")
    parser.add_argument("--runs", type=int, default=6)
    runs: int = parser.parse_args().runs
    one, each = _measured(1, runs)
    two, _ = _measured(2, runs)
    seconds = statistics.mean(each)
    rows = [
        Row(
            BENCH,
            f"{runs} runs on {slots} slot{'s' if slots > 1 else ''}",
            took,
            "s",
            runs,
            _planned(runs, slots, seconds),
            "as planned",
        )
        for slots, took in ((1, one), (2, two))
    ]
    alone, beside = _loops(1), _loops(2)
    rows += [
        Row(BENCH, "a run on 1 slot", seconds, "s", runs),
        Row(BENCH, "two plain loops side by side do as much as", 2 * alone / beside, "x", 2),
        Row(
            BENCH, "two slots are faster by", one / two, "x", runs, limit=1.0, higher_is_better=True
        ),
        Row(
            BENCH,
            f"planned: {MANY_RUNS} runs on {MANY_SLOTS} slots",
            _planned(MANY_RUNS, MANY_SLOTS, seconds),
            "s",
            MANY_RUNS,
            _planned(MANY_RUNS, 1, seconds),
            "on one",
        ),
    ]
    return int(not report(rows))


def _measured(slots: int, runs: int) -> tuple[float, list[float]]:
    """Return the seconds of all runs together, and of each run."""
    spec = small(
        seeds=list(range(runs)),
        encoder={"kind": "convnet", "embedding_dim": 64},
        training={"epochs": 90, "batch_size": 64},
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(
            Path(folder) / "data", "--no-demo", "--workers", str(slots), LOSSBOARD_TORCH_THREADS="1"
        ) as stack,
    ):
        until(lambda: _idle(stack) == slots, "the slots")
        time.sleep(WARM_S)  # the trainers say nothing of it to others
        began = time.monotonic()
        ended = stack.wait_ended(stack.submit(spec), timeout=1200)
        took = time.monotonic() - began
    assert all(run["state"] == "succeeded" for run in ended), ended
    return took, [_at(run["ended_at"]) - _at(run["started_at"]) for run in ended]


def _loops(count: int) -> float:
    """Seconds that a plain training loop takes when so many run at once, the mean of them."""
    loops = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for loop in loops:
        assert loop.stdout is not None
        loop.stdout.readline()  # it has imported everything
    for loop in loops:
        assert loop.stdin is not None
        print(file=loop.stdin, flush=True)
    return statistics.mean(float(loop.communicate()[0]) for loop in loops)


def _at(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment).timestamp()


def _idle(stack: Stack) -> int:
    return sum(one["state"] == "idle" for one in stack.get("/workers")["workers"])


def _planned(runs: int, slots: int, seconds: float) -> float:
    """Return when the last of this many equal runs ends."""
    waits = [
        WaitingRun(f"r{at}", "local", 0, ANY_DEVICE, (0.0, at, f"r{at}"), seconds)
        for at in range(runs)
    ]
    starts = plan_starts(waits, [Slot("cpu")] * slots, Turns({}, {}))
    return max(start.end for start in starts)


if __name__ == "__main__":
    sys.exit(main())
