"""The guard of the benchmarks: short versions of the steadiest ratios, held against stored floors.

CPU time of this process, ours and the peer in turn, so that a busy machine changes little. Fails
where a ratio has fallen below its floor in benchmarks/floors.json by more than a third, and names
case, floor and what was seen. `--store` renews the floors from this run. At most one minute.
Command: python -m benchmarks.quick
"""

import argparse
import datetime
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import torch

from benchmarks import losses, retrieval, store, tuning
from benchmarks.document import machine
from benchmarks.dynamics import Loop
from benchmarks.loss_ways import OURS, PEER, WAYS
from benchmarks.row import number
from benchmarks.trials import train_one_by_one, train_together, trial_specs
from contract.comparison.data import DigitsData
from worker import data

FLOORS = Path(__file__).parent / "floors.json"
TOLERANCE = 1 / 3
"""By how much a ratio may fall below its floor: more is no noise."""
BATCH, CLASSES, ITEMS = 512, 10, 6_000
MILLISECONDS = 1_500
STEPS = 80
"""Of each loop, with measuring and without."""
TRIAL_EPOCHS = 5
"""Of each trial that is trained together and one by one."""
ROUNDS = 5
"""Of the stream and the bare insert."""


def main() -> int:
    """Measure, and hold against the floors or renew them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick")
    parser.add_argument("--store", action="store_true", help="renew the floors from this run")
    torch.set_num_threads(1)
    renew: bool = parser.parse_args().store
    floors: dict[str, float] = json.loads(FLOORS.read_text())["ratios"] if FLOORS.exists() else {}
    seen = {}
    for case, ratio in _ratios():
        seen[case] = ratio
        floor = f"floor {number(floors[case])}" if case in floors else "no floor"
        print(f"{case:<56}{number(ratio):>8}  {floor}", flush=True)
    if renew:
        _store(seen)
        return 0
    fallen = complaints(floors, seen)
    print("\n".join(fallen or ["no ratio has fallen"]))
    return int(bool(fallen))


def complaints(floors: Mapping[str, float], seen: Mapping[str, float]) -> list[str]:
    """A line for each ratio that fell below its floor by more than a third, for each floor whose
    case was not measured, and for each case without a floor."""
    lines = []
    for case, floor in floors.items():
        if case not in seen:
            lines.append(f"MISSED {case}: floor {number(floor)}, not measured")
        elif seen[case] < floor * (1 - TOLERANCE):
            lines.append(f"MISSED {case}: floor {number(floor)}, seen {number(seen[case])}")
    return lines + [f"MISSED {case}: no floor is stored" for case in seen if case not in floors]


def _store(seen: Mapping[str, float]) -> None:
    note = {
        "what": "how many times better ours is; written by python -m benchmarks.quick --store",
        "machine": machine(),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "torch": torch.__version__,
    }
    ratios = {case: float(f"{ratio:.3g}") for case, ratio in seen.items()}
    FLOORS.write_text(json.dumps({"note": note, "ratios": ratios}, indent=2) + "\n")


def _ratios() -> Iterator[tuple[str, float]]:
    for kind in WAYS:
        yield f"{kind}, batch {BATCH}, against {PEER}", _loss(kind)
    for kind in WAYS:
        yield f"{kind}, batch {BATCH}, a step that is not measured", _dynamics(kind)
    calls = retrieval.measured(ITEMS, CLASSES, 2)
    ours = statistics.median(call.seconds for call in calls[OURS])
    for peer in (retrieval.FAISS, retrieval.TORCH):
        took = statistics.median(call.seconds for call in calls[peer])
        yield f"retrieval, {ITEMS:,} items, against {peer}", took / ours
    rounds = [_ingest() for _ in range(ROUNDS)]
    # The least of each: memory that is new to the process doubles what one bare insert takes.
    collected, bare = (min(took) for took in zip(*rounds, strict=True))
    yield "stream to SQLite, against a bare insert", bare / collected
    for kind in tuning.ARMS:
        yield f"{tuning.TRIALS} trials, digits, {kind}, against one by one", _trials(kind)


def _loss(kind: str) -> float:
    ways = {name: WAYS[kind][name] for name in (OURS, PEER)}
    took = losses.measured(losses.Case(kind, BATCH, BATCH // CLASSES), ways, MILLISECONDS)
    return statistics.median(took[PEER]) / statistics.median(took[OURS])


def _dynamics(kind: str) -> float:
    train = data.load(DigitsData()).dataset().train
    loops = [Loop(kind, BATCH, train, measure=measure) for measure in (True, False)]
    took: dict[Loop, list[float]] = {loop: [] for loop in loops}
    for at in range(STEPS):
        for loop in loops if at % 2 else reversed(loops):
            began = time.thread_time()
            loop.step(update_norm=at % 10 == 0)
            took[loop].append(time.thread_time() - began)
    ours, bare = (statistics.median(took[loop]) for loop in loops)
    return bare / ours


def _trials(kind: str) -> float:
    """How many times faster trials train together than one by one."""
    spec = tuning.spec_of("digits", kind, epochs=TRIAL_EPOCHS)
    specs = trial_specs(spec, kind, tuning.settings_of(spec))
    for way in (train_together, train_one_by_one):
        way(specs[:1])  # the first one imports more of torch
    first = tuning.cpu_s(partial(train_together, specs))
    alone = tuning.cpu_s(partial(train_one_by_one, specs))
    return alone / statistics.fmean((first, tuning.cpu_s(partial(train_together, specs))))


def _ingest() -> tuple[float, float]:
    """Seconds that the collector takes for the points of a run, and a bare insert of as many."""
    with store.empty_store() as (database, broker):
        total = store.fill(database, broker, 1)
        ours = store.collect(database, broker, 1, time.process_time)
    return ours, _bare_insert(total)


def _bare_insert(total: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return _inserted(sqlite3.connect(Path(folder) / "bare.sqlite"), total)


def _inserted(connection: sqlite3.Connection, total: int) -> float:
    connection.execute(
        "CREATE TABLE point (series_id INTEGER, step INTEGER, value REAL, "
        "PRIMARY KEY (series_id, step)) WITHOUT ROWID"
    )
    count = len(store.KEYS)
    steps = total // count
    rows = [(series, step, step / steps) for series in range(count) for step in range(steps)]
    began = time.process_time()
    with connection:
        connection.executemany("INSERT INTO point VALUES (?, ?, ?)", rows)
    took = time.process_time() - began
    connection.close()
    return took


if __name__ == "__main__":
    sys.exit(main())
