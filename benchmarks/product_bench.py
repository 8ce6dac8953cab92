"""Comparisons that are run by the whole product, on one machine, and stay in a folder.

Workers train many small runs at a time as one computation, and search. A comparison that the folder
has already is not run again, so an interrupted script goes on where it was.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.report import RESULTS
from frontend.api.client import Api
from tests.support.stack import running_stack
from tests.support.waiting import until

Json = Mapping[str, Any]

FOLDER: Final = RESULTS / "findings"
OPEN: Final = ("queued", "running")
_LOOK_S: Final = 2.0
_TIMEOUT_S: Final = 120.0


class Bench:
    """Comparisons in one folder, and the product that runs them."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def run(self, specs: Sequence[Json]) -> list[str]:
        """Run what is not there yet of these comparisons; return their ids, in the same order.

        Runs that were cut short by the last stop go on by themselves.
        """
        found = [self._comparison(spec) for spec in specs]
        began = time.monotonic()
        while left := [one for one in found if self._api.comparison(one)["state"] in OPEN]:
            took = time.monotonic() - began
            print(f"\r{len(left)} of {len(found)} left, {took:.0f} s ", end="", file=sys.stderr)
            time.sleep(_LOOK_S)
        print(file=sys.stderr)
        for one in found:
            self._say_failures(one)
        return found

    def verdict(self, comparison: str, a: str = "", b: str = "") -> Json:
        """Return the verdict on two arms."""
        return self._api.verdict(comparison, a, b)

    def summary(self, comparison: str) -> Json:
        """Return the summary."""
        return self._api.summary(comparison)

    def leaderboard(self, comparison: str, metrics: Sequence[str]) -> Json:
        """Return the leaderboard of these metrics."""
        return self._api.leaderboard(comparison, metrics)

    def knows_plugins(self) -> bool:
        """Return whether a worker has reported its plug-in losses."""
        return bool(self._api.catalogue()["plugins"])

    def ended(self, spec: Json) -> str | None:
        """Return the id of this comparison if it is there and has ended."""
        known = self._api.comparisons(tag=_digest(spec))["comparisons"]
        return str(known[0]["id"]) if known and known[0]["state"] not in OPEN else None

    def _comparison(self, spec: Json) -> str:
        digest = _digest(spec)
        known = self._api.comparisons(tag=digest)["comparisons"]
        if known:
            return str(known[0]["id"])
        return str(self._api.create({**spec, "tags": ["findings", digest]})["id"])

    def _say_failures(self, comparison: str) -> None:
        found = self._api.comparison(comparison)
        if failed := found["runs"]["failed"]:
            print(f"{found['name']}: {failed} runs failed", file=sys.stderr)


def _digest(spec: Json) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def product_bench(folder: Path, workers: int) -> Iterator[Bench]:
    """Start the product on a folder, with so many slots and the losses of pytorch-metric-learning;
    stop it in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    flags = ("--no-demo", "--workers", str(workers))
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    with (
        running_stack(
            folder / "board", *flags, LOSSBOARD_LOSSES="pml", OMP_NUM_THREADS=threads
        ) as stack,
        httpx.Client(base_url=stack.api_url.removesuffix("/api/v1"), timeout=_TIMEOUT_S) as http,
    ):
        bench = Bench(Api(http))
        until(bench.knows_plugins, "the losses of pytorch-metric-learning")
        yield bench


def add_arguments(parser: argparse.ArgumentParser, cases: Iterable[str]) -> None:
    """Add `cases`, the data sets to run, all by default; `folder`, which keeps their comparisons;
    and `workers`, the slots that train."""
    known = list(cases)

    def case(name: str) -> str:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no such data: {name}")
        return name

    names = " or ".join(known)
    parser.add_argument("cases", nargs="*", type=case, metavar="data", help=names, default=known)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="keeps the comparisons")
    parser.add_argument("--workers", type=int, default=2, help="slots that train")
