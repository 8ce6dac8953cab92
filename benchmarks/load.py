"""A busy board: 50 viewers, four trainings and a submit each second for two minutes.

Each viewer follows a comparison's live stream and reads, about once a second, what a page reads:
the board, the comparison, its runs, a curve of a run, one of an arm, the summary, the queue. A read
is timed from the request to its last byte. Submitted comparisons wait in the queue behind the
trainings. How far the database is behind the event stream is asked for twice a second.

Run as `python -m benchmarks.load [--viewers 50] [--seconds 120]`. Nothing else should load the
machine.
"""

import argparse
import asyncio
import itertools
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.report import Row, percentile, report
from tests.support.specs import endless, small
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

BENCH: Final = "load"
TRAININGS: Final = 4
READ_S, LAG_S = 0.3, 2.0
"""Goals: the 95th percentile of reads, and the delay of the database."""
LOOK_S: Final = 0.5
PAUSE_S: Final = (0.5, 1.5)
"""Shortest and longest pause of a viewer between two reads."""


@dataclass
class Seen:
    """The measurements of all viewers."""

    reads: list[float] = field(default_factory=list)
    """Seconds."""
    lags: list[float] = field(default_factory=list)
    """Seconds."""
    statuses: Counter[int] = field(default_factory=Counter)
    """HTTP status of every answer; 0 if there was none."""
    submits: int = 0
    live: int = 0
    """Number of events that viewers received."""


def main() -> int:
    """Load the board and print what it did."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder) / "data", "--no-demo", "--workers", str(TRAININGS)) as stack,
    ):
        watched = [stack.submit(endless(seeds=[seed])) for seed in range(TRAININGS)]
        until(lambda: all(_trains(stack, one) for one in watched), "all to train", timeout=180)
        seen = asyncio.run(_load(stack, watched, asked.viewers, asked.seconds))
    return int(not report(_rows(seen, asked.viewers, asked.seconds), document=True))


def _trains(stack: Stack, comparison: str) -> bool:
    return any(run["step"] > 0 for run in stack.runs(comparison))


async def _load(stack: Stack, watched: list[str], viewers: int, seconds: float) -> Seen:
    seen = Seen()
    stop = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=30, limits=limits) as http:
        runs = [stack.runs(one)[0]["id"] for one in watched]
        pages = [*zip(watched, runs, strict=True)]
        followers = [
            asyncio.create_task(_follow(http, watched[at % len(watched)], seen))
            for at in range(viewers)
        ]
        async with asyncio.TaskGroup() as group:
            for at in range(viewers):
                reads = _reads(*pages[at % len(pages)])
                group.create_task(_view(http, reads, random.Random(at), stop, seen))
            group.create_task(_submit(http, stop, seen))
            group.create_task(_look(http, stop, seen))
        for task in followers:
            task.cancel()
        for ended in await asyncio.gather(*followers, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                print(f"a stream ended: {ended!r}", file=sys.stderr)
                seen.statuses[0] += 1  # a stream that ended by itself
    return seen


def _reads(comparison: str, run: str) -> Iterable[str]:
    """Make a page's requests again and again."""
    return itertools.cycle(
        [
            "/comparisons",
            f"/comparisons/{comparison}",
            f"/comparisons/{comparison}/runs",
            f"/series?run={run}&key=dynamics.loss&max_points=1000",
            f"/arms/curves?arm={comparison}~triplet&key=dynamics.loss&max_points=500",
            f"/comparisons/{comparison}/summary",
            "/queue",
        ]
    )


async def _view(
    http: httpx.AsyncClient, reads: Iterable[str], rng: random.Random, stop: float, seen: Seen
) -> None:
    for path in reads:
        if time.monotonic() > stop:
            return
        began = time.perf_counter()
        answer = await _ask(http, "GET", path, seen)
        if answer is not None:
            seen.reads.append(time.perf_counter() - began)
        await asyncio.sleep(rng.uniform(*PAUSE_S))


async def _follow(http: httpx.AsyncClient, comparison: str, seen: Seen) -> None:
    async with http.stream("GET", f"/comparisons/{comparison}/live", timeout=None) as answer:
        seen.statuses[answer.status_code] += 1
        async for line in answer.aiter_lines():
            seen.live += line.startswith("event:")


async def _submit(http: httpx.AsyncClient, stop: float, seen: Seen) -> None:
    due = time.monotonic()
    while due < stop:
        await _ask(http, "POST", "/comparisons", seen, json=small())
        seen.submits += 1
        due += 1
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _look(http: httpx.AsyncClient, stop: float, seen: Seen) -> None:
    while time.monotonic() < stop:
        answer = await _ask(http, "GET", "/health/ready", seen)
        if answer is not None:
            lag = answer.json()["collector_lag_s"]
            seen.lags.append(math.inf if lag is None else lag)
        await asyncio.sleep(LOOK_S)


async def _ask(
    http: httpx.AsyncClient, method: str, path: str, seen: Seen, **more: Any
) -> httpx.Response | None:
    try:
        answer = await http.request(method, path, **more)
    except httpx.HTTPError as error:
        print(f"{method} {path}: {error!r}", file=sys.stderr)
        seen.statuses[0] += 1
        return None
    seen.statuses[answer.status_code] += 1
    return answer


def _rows(seen: Seen, viewers: int, seconds: float) -> list[Row]:
    asked = seen.statuses.total()
    faults = sum(count for status, count in seen.statuses.items() if status >= 500)
    refused = asked - faults - seen.statuses[200] - seen.statuses[201]
    reads = sorted(seen.reads)
    return [
        Row(BENCH, f"viewers, for {seconds:.0f} s", viewers, "viewers", 1),
        Row(BENCH, "submits a second", seen.submits / seconds, "1/s", seen.submits),
        Row(BENCH, "events to viewers", seen.live / seconds, "1/s", seen.live),
        Row(BENCH, "reads a second", len(reads) / seconds, "1/s", len(reads)),
        Row(BENCH, "reads, p50", percentile(reads, 0.5), "s", len(reads)),
        Row(BENCH, "reads, p95", percentile(reads, 0.95), "s", len(reads), limit=READ_S),
        Row(BENCH, "ingest lag, most", max(seen.lags), "s", len(seen.lags), limit=LAG_S),
        Row(BENCH, "answers with a 5xx", faults, "answers", asked, limit=0),
        Row(BENCH, "no answer, or another error", refused, "answers", asked, limit=0),
    ]


if __name__ == "__main__":
    sys.exit(main())
