"""Faults at random moments of runs on the real product, and what they cost: nothing.

Each run, on a product of two slots, gets three to six faults: kill -9 of, or SIGTERM to, its
trainer, the template that trainers are forked from, its worker, the API or the broker, a broker
that comes back without its file, a full disk below the data folder (a small tmpfs, where this
machine lets us mount one). Then it must have succeeded with every series equal, point by point, to
that of an undisturbed run. Every event that a trainer sends is watched on its way, so that an
attempt trained twice would be seen. A stepping clock is not among the faults here:
tests/backend/workers/test_registry_clock.py steps the API's.

Run as `python -m benchmarks.faults [--injections 200] [--minutes 30] [--seed 0]`.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.fault_kinds import DEADLY, Faults, small_disk
from benchmarks.report import Row, report
from benchmarks.stream_watch import StreamWatch
from tests.support.specs import long
from tests.support.stack import Json, Stack, running_stack
from tests.support.waiting import PATIENCE, until

BENCH: Final = "faults"
SPEC: Final = long(name="faults", measure={"evaluate_every": 25, "snapshot_every": 75})
SLOTS: Final = 2
ENVIRONMENT: Final = {"LOSSBOARD_CHECKPOINT_S": "0.5", "LOSSBOARD_LEASE_S": "3"}
STUCK_S: Final = 180.0 / PATIENCE
"""A run that has not ended three minutes after its last fault is stuck; `until` is patient."""
FAULTS: Final = (3, 6)
"""Of a run: at least, at most, unless it ends before."""
PAUSE_S: Final = (0.0, 2.5)
"""Before each fault, from when a run is under way: at least, at most."""

Curves = dict[str, tuple[list[int], list[float | None]]]


@dataclass
class Outcome:
    """The results of all runs."""

    injected: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    ended_otherwise: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    different: int = 0
    attempts: int = 0


def main() -> int:
    """Inject, check, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--injections", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30.0, help="stop after so many")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        small_disk(Path(folder) / "data") as disk,
        running_stack(
            Path(folder) / "data", "--no-demo", "--workers", str(SLOTS), **ENVIRONMENT
        ) as stack,
    ):
        watch = StreamWatch(stack.broker_url)
        watch.start()
        rng = random.Random(asked.seed)
        faults = Faults(stack, rng, disk=disk)
        deck = _deck(list(faults.kinds), asked.injections, rng)
        trial = Trial(stack, faults, deck, rng)
        seen = trial.seen
        while deck and not seen.stuck and time.monotonic() < began + 60 * asked.minutes:
            trial.disturb_a_run()
            print(f"{seen.injected.total()} faults, {seen.runs} runs", file=sys.stderr, flush=True)
        watch.stop()
        problems = [*seen.stuck, *seen.ended_otherwise]
        print(*problems, sep="\n", file=sys.stderr)
        if problems:
            print(stack.log.read_text()[-20_000:], file=sys.stderr)
    minutes = (time.monotonic() - began) / 60
    return int(not report(_rows(seen, watch, minutes), document=not deck))


def _deck(kinds: list[str], count: int, rng: random.Random) -> list[str]:
    """Return this many faults in random order, each kind equally often."""
    deck = [kinds[at % len(kinds)] for at in range(count)]
    rng.shuffle(deck)
    return deck


def _draw(deck: list[str], deadly: int) -> str | None:
    """Return the next fault for a run that has already had this many deadly ones."""
    at = next((at for at, kind in enumerate(deck) if deadly < 2 or kind not in DEADLY), None)
    return None if at is None else deck.pop(at)


class Trial:
    """One product, disturbed run after run."""

    def __init__(self, stack: Stack, faults: Faults, deck: list[str], rng: random.Random) -> None:
        self.seen = Outcome()
        self.deck = deck
        self._stack, self._faults, self._rng = stack, faults, rng
        self._undisturbed = self._curves_when_nothing_happens()

    def disturb_a_run(self) -> None:
        """Inject faults at random moments, then check the run."""
        comparison = _submit(self._stack)
        hit = self._hit(comparison)
        self.seen.injected.update(hit)
        try:
            [run] = self._stack.wait_ended(comparison, timeout=STUCK_S)
        except TimeoutError:
            self.seen.stuck.append(f"{self._stack.runs(comparison)} after {hit}")
            return
        self.seen.runs += 1
        self.seen.attempts += run["attempt"]
        if run["state"] == "succeeded":
            _compare(_curves(self._stack, run), self._undisturbed, self.seen)
        else:
            self.seen.ended_otherwise.append(f"{run} after {hit}")
        until(lambda: _deleted(self._stack, comparison), f"{comparison} to be deleted")

    def _hit(self, comparison: str) -> list[str]:
        hit: list[str] = []
        for _ in range(self._rng.randint(*FAULTS)):
            try:
                until(lambda: _state(self._stack, comparison), "a run under way", timeout=STUCK_S)
            except TimeoutError:
                break  # it is stuck, as will be seen
            time.sleep(self._rng.uniform(*PAUSE_S))  # a random moment is what is wanted
            found = _state(self._stack, comparison)
            if found is None:
                continue  # nothing runs at this moment
            state, slot = found
            if state == "over":
                break
            kind = _draw(self.deck, sum(one in DEADLY for one in hit))
            if kind is None:
                break
            if self._faults.inject(kind, slot):
                hit.append(kind)
            else:
                self.deck.append(kind)
        return hit

    def _curves_when_nothing_happens(self) -> Curves:
        """Check the curves: on a CPU every run of a seed has the same."""
        [run] = self._stack.wait_ended(_submit(self._stack), timeout=STUCK_S)
        assert (run["state"], run["attempt"]) == ("succeeded", 1), run
        found = _curves(self._stack, run)
        assert found["dynamics.loss"][0] == list(range(run["total_steps"] + 1))
        return found


def _state(stack: Stack, comparison: str) -> tuple[str, str] | None:
    """("running", its slot) or ("over", ""); None where it is neither, or nobody tells."""
    [run] = stack.runs(comparison) or [{"id": "", "state": "queued"}]
    if run["state"] not in {"queued", "running"}:
        return "over", ""
    try:
        slots: list[Json] = stack.get("/workers")["workers"]
    except httpx.HTTPError:
        return None
    return next((("running", one["name"]) for one in slots if one["run"] == run["id"]), None)


def _submit(stack: Stack) -> str:
    """Ask again while the API is still restarting."""

    def tried() -> str:
        try:
            return stack.submit(SPEC)
        except httpx.HTTPError:
            return ""

    return until(tried, "the API to take a comparison")


def _deleted(stack: Stack, comparison: str) -> bool:
    """Room for the next; a 404 says that an answer was lost on its way."""
    try:
        return stack.http.delete(f"/comparisons/{comparison}").status_code in {204, 404}
    except httpx.HTTPError:
        return False


def _curves(stack: Stack, run: Json) -> Curves:
    """Return every series except those of the clock, which differ between any two runs."""

    def read() -> list[Json]:
        try:
            found: list[Json] = stack.get("/series", run=run["id"], max_points=100_000)["series"]
        except httpx.HTTPError:
            return []
        return found

    series = until(read, f"the series of {run['id']}")
    assert all(one["min"] is None for one in series), "thinned"
    return {
        one["key"]: (one["steps"], one["values"]) for one in series if one["key"] != "run.elapsed_s"
    }


def _compare(found: Curves, right: Curves, seen: Outcome) -> None:
    """Count the points of a run's curves that are missing, doubled or different."""
    for key in right.keys() | found.keys():
        steps, values = found.get(key, ([], []))
        expected = dict(zip(*right.get(key, ([], [])), strict=True))
        got = dict(zip(steps, values, strict=True))
        seen.lost += len(expected.keys() - got.keys())
        seen.doubled += len(steps) - len(got) + len(got.keys() - expected.keys())
        seen.different += sum(got[step] != expected[step] for step in got.keys() & expected.keys())


def _rows(seen: Outcome, watch: StreamWatch, minutes: float) -> list[Row]:
    def none(case: str, count: int, unit: str, of: int) -> Row:
        return Row(BENCH, case, count, unit, of, limit=0)

    total = seen.injected.total()
    counted: list[Any] = sorted(seen.injected.items())
    return [
        Row(BENCH, "all faults", total, "faults", seen.runs),
        *(Row(BENCH, kind, count, "faults", count) for kind, count in counted),
        Row(BENCH, "runs they hit", seen.runs, "runs", total),
        Row(BENCH, "attempts these took", seen.attempts, "attempts", seen.runs),
        none("points lost", seen.lost, "points", seen.runs),
        none("points doubled or too many", seen.doubled, "points", seen.runs),
        none("points with another value", seen.different, "points", seen.runs),
        none("runs stuck", len(seen.stuck), "runs", seen.runs),
        none("runs that did not succeed", len(seen.ended_otherwise), "runs", seen.runs),
        none("attempts trained twice", len(watch.twice), "attempts", watch.events),
        none("runs with two attempts at once", len(watch.overlapped), "runs", watch.events),
        Row(BENCH, "time for all", minutes, "min", total),
    ]


if __name__ == "__main__":
    sys.exit(main())
