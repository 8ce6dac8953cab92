"""Points of training curves written and read: ours beside MLflow on SQLite, trackio, TensorBoard's
event files and Aim, each in its own process, reported from one thread, 20 values or one at a step.

End to end, ours goes from the worker's reporter through the broker and the collector into SQLite,
until the run's end is committed: the broker is a process of its own, so ours has two processes
where a peer has one. A peer's time ends when all is on its disk. Reads are of one series, by the
call that each one's page makes; MLflow's long series was put into its table by SQL. Imports do not
count. A slow peer is given fewer points, as its name says. Three rounds, ours and the peers in
turn; a read below a second is repeated within a round, a call beyond ten is made in one round.
About ten minutes.
Goals: end to end ten times MLflow and three times trackio; a thousand points of a million within
10 ms and faster than all. The peers need .venv-peers, which `make bench` makes.
Command: python -m benchmarks.tracking
"""

import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import tracking_ours
from benchmarks.document import busy
from benchmarks.peers.environment import Answer, ask
from benchmarks.report import Row, report
from benchmarks.row import GOAL
from benchmarks.store import empty_store
from benchmarks.tracking_cases import (
    AIM_LONG,
    BARE,
    CASES,
    LONG,
    OURS_LOGGED,
    OURS_STORED,
    READ_GOAL_MS,
    SCRIPTS,
    SHORT,
    THINNED,
    WHOLE,
    WRITTEN,
    WRITTEN_ONE,
    Call,
    Case,
)

ROUNDS: Final = 3
SLOW_S: Final = 10.0
"""A peer's call that takes longer is made in one round only; then its row's n is 1."""

Ours = Mapping[str, Sequence[float]]
"""Case -> the figure of each round."""


class Peers:
    """Runs the peers' scripts and keeps their answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seconds: defaultdict[Call, list[float]] = defaultdict(list)
        self.failed: dict[Call, str] = {}
        self.versions: dict[str, str] = {}

    def ask(self, script: str, place: str, *cases: Case) -> None:
        """Make a peer's calls of these cases, but for the slow ones that it has made before."""
        calls = [
            (call, asked.points)
            for case in cases
            for (own, call), asked in case.peers.items()
            if own == script and max(self.seconds.get((own, call), [0.0])) < SLOW_S
        ]
        self.call(script, place, calls)

    def call(self, script: str, place: str, calls: Sequence[tuple[str, int]]) -> None:
        """Make calls (name, points) of one peer in a folder of that name."""
        folder = self._folder / f"{script}-{place}"
        folder.mkdir(exist_ok=True)
        self.keep(script, ask(script, folder, calls))

    def keep(self, script: str, answer: Answer) -> None:
        """Add a peer's answer to its earlier ones."""
        if answer.version:
            self.versions[script.removeprefix("with_")] = answer.version
        for call, seconds in answer.seconds.items():
            self.seconds[script, call].append(seconds)
        for call, reason in answer.failed.items():
            self.failed[script, call] = reason


def main() -> int:
    """Measure all rounds and report. Returns 1 if a goal is missed."""
    load = os.getloadavg()[0]
    ours: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(Path(folder))
        for at in range(ROUNDS):
            print(f"writing, round {at + 1} of {ROUNDS}", flush=True)
            ours[WRITTEN.title].append(tracking_ours.logged(OURS_LOGGED))
            ours[WRITTEN_ONE.title].append(tracking_ours.logged(OURS_LOGGED, width=1))
            ours[BARE.title].append(tracking_ours.stored(OURS_STORED))
            for script in SCRIPTS:
                peers.ask(script, f"written-{at}", WRITTEN, WRITTEN_ONE, BARE)
        with empty_store() as (database, _):
            print("filling", flush=True)
            curves = tracking_ours.Curves(database, LONG, SHORT)
            for script in SCRIPTS:
                longest = AIM_LONG if script == "with_aim" else LONG
                peers.call(script, "read", [("fill", total) for total in sorted({longest, SHORT})])
            for at in range(ROUNDS):
                print(f"reading, round {at + 1} of {ROUNDS}", flush=True)
                ours[THINNED.title].append(curves.thinned())
                ours[WHOLE.title].append(curves.whole())
                for script in SCRIPTS:
                    peers.ask(script, "read", THINNED, WHOLE)
    rows = list(rows_of(ours, peers))
    notes = [*reasons(rows), busy(load)]
    return 0 if report(rows, versions=peers.versions, notes=notes) else 1


def rows_of(ours: Ours, peers: Peers) -> Iterator[Row]:
    """A row for each peer of each case; one that was not measured says why."""
    for case in CASES:
        own = statistics.median(ours[case.title])
        if case is THINNED:
            yield Row("tracking", case.title, own, case.unit, ROUNDS, READ_GOAL_MS, GOAL)
        for call, asked in case.peers.items():
            seconds = peers.seconds.get(call)
            figure = case.figure(asked.points, statistics.median(seconds)) if seconds else None
            name = asked.name
            if asked.points != case.ours:
                name += f", {asked.points:,} points"
            if figure is None:
                name += f" (not measured: {peers.failed[call]})"
            yield Row(
                *("tracking", case.title, own, case.unit),
                *(len(seconds) if seconds else ROUNDS, figure, name),
                higher_is_better=case.rate,
                least_ratio=asked.least_ratio if figure is not None else None,
            )


def reasons(rows: Sequence[Row]) -> list[str]:
    """Why a peer is ahead, or closer than was asked for, of each row where one is."""
    why = {(case.title, asked.name): asked.ahead for case in CASES for asked in case.peers.values()}
    found = [
        why[row.case, name]
        for row in rows
        if row.ratio is not None and (row.ratio < 1 or row.met is False)
        for case, name in why
        if case == row.case and row.peer_name.startswith(name)
    ]
    return list(dict.fromkeys(filter(None, found)))


if __name__ == "__main__":
    sys.exit(main())
