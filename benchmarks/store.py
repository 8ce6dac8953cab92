"""How fast events reach SQLite, and how fast a long series is read.

Goals: 80,000 points a second from the stream into the database, with transactions short enough for
the API's own writes; 1,000 points of a series of 1,000,000 within 20 ms at the store.
"""

import math
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import col, select

from backend.comparisons import edits
from backend.comparisons import repository as comparisons
from backend.comparisons.edits import Edit
from backend.db import migrations
from backend.db.database import Commit, Database
from backend.db.models import Run, Series
from backend.ingest import event_stream
from backend.ingest.collector import Collector
from backend.metrics import points, series
from backend.runs import repository as runs
from benchmarks.report import Row, percentile, report
from contract.comparison.spec import parse_spec
from contract.events import Column, Points, Started, encode
from contract.metrics import METRICS
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.support.broker import Broker

RUNS = 4
EVENTS = 500
"""Of each run."""
STEPS = 20
"""In each event: 50 ms of a fast trainer."""
LONG = 1_000_000
KEYS = [key for key in METRICS if key.startswith(("dynamics.", "geometry."))][:20]
"""Series of each run."""


def main() -> None:
    """Measure and report."""
    with empty_store() as (database, broker):
        report([*_ingest(database, broker), *_read(database)])


@contextmanager
def empty_store() -> Iterator[tuple[Database, Broker]]:
    """Provide a database and a broker for one measurement."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        database = Database(f"sqlite:///{folder}/bench.sqlite")
        migrations.upgrade(database)
        try:
            yield database, broker
        finally:
            database.close()
            broker.close()


def collect(database: Database, broker: Broker, count: int, clock: Callable[[], float]) -> float:
    """Return the seconds that the collector takes until the events of all runs are stored."""
    last, stored = event_stream.newest_entry(broker.client), threading.Event()

    def watch(commit: Commit) -> None:
        if commit.position == last:
            stored.set()

    database.on_commit = watch
    collector = Collector(database, broker.url)
    began = clock()
    collector.start()
    assert stored.wait(120), "the stream was not stored in time"
    took = clock() - began
    collector.stop()
    collector.join()
    database.on_commit = lambda _: None
    assert collector.counts == {"taken": count * (EVENTS + 1)}, collector.counts
    return took


def _ingest(database: Database, broker: Broker) -> list[Row]:
    total = fill(database, broker, RUNS)
    lags: list[float] = []
    stop = threading.Event()
    writer = threading.Thread(target=_small_writes, args=(database, lags, stop))
    writer.start()
    took = collect(database, broker, RUNS, time.perf_counter)
    stop.set()
    writer.join()
    return [
        Row(
            *("store", "stream to SQLite", total / took, "points/s", 1, 80_000, "goal"),
            higher_is_better=True,
        ),
        Row("store", "an API write meanwhile, p50", percentile(lags, 0.5), "ms", len(lags)),
        Row("store", "an API write meanwhile, p95", percentile(lags, 0.95), "ms", len(lags)),
    ]


def fill(database: Database, broker: Broker, count: int) -> int:
    """Put the events of runs into the stream. Returns the number of their points."""
    own = claimed(database, count)
    for run in own:
        started = Started(
            run=run, attempt=1, seq=1, device="cpu", total_steps=EVENTS * STEPS, steps_per_epoch=100
        )
        broker.client.xadd(EVENT_STREAM, {EVENT_FIELD: encode(started)})
    for at in range(EVENTS):
        steps = list(range(at * STEPS, (at + 1) * STEPS))
        with broker.client.pipeline() as pipe:
            for run in own:
                columns = [
                    Column(key=key, steps=steps, values=[math.sin(step + i) for step in steps])
                    for i, key in enumerate(KEYS)
                ]
                event = Points(run=run, attempt=1, seq=at + 2, step=steps[-1], series=columns)
                pipe.xadd(EVENT_STREAM, {EVENT_FIELD: encode(event)})
            pipe.execute()
    return len(own) * EVENTS * STEPS * len(KEYS)


def _small_writes(database: Database, lags: list[float], stop: threading.Event) -> None:
    while not stop.wait(0.01):
        began = time.perf_counter()
        with database.write() as write:
            edits.change(write, _first(database), Edit(notes=str(began)))
        lags.append((time.perf_counter() - began) * 1e3)


def _first(database: Database) -> str:
    with database.read() as session:
        return session.exec(select(Run.comparison_id)).first() or ""


def _read(database: Database) -> list[Row]:
    [run] = claimed(database, 1)
    fill_long(database, run, LONG)
    took: list[float] = []
    for _ in range(100):
        began = time.perf_counter()
        with database.read() as session:
            row = session.exec(select(Series).where(col(Series.run_id) == run)).one()
            curve = series.read(session, [row], after=-1, max_points=1000)[0]
        took.append((time.perf_counter() - began) * 1e3)
        assert curve.total == LONG
        assert 250 < len(curve.steps) <= 1000
    return [
        Row(
            "store", "1,000 points of 1,000,000, p50", percentile(took, 0.5), "ms", 100, 20, "goal"
        ),
        Row("store", "1,000 points of 1,000,000, p95", percentile(took, 0.95), "ms", 100),
    ]


def fill_long(database: Database, run: str, total: int) -> None:
    """Store one long series of a run, the loss."""
    name = (run, "dynamics.loss")
    for start in range(0, total, 50_000):
        steps = list(range(start, min(start + 50_000, total)))
        values: list[float | None] = [math.sin(step / 1000) for step in steps]
        with database.write() as write:
            ids = points.ensure_series(write.session, [name])
            points.insert(write.session, {ids[name]: (steps, values)})


def claimed(database: Database, count: int) -> list[str]:
    """Make new runs as if a worker had claimed them. Returns their ids."""
    spec = parse_spec(
        {
            "name": "bench",
            "data": {"kind": "digits"},
            "encoder": {"kind": "mlp"},
            "arms": [{"name": "triplet", "loss": {"kind": "triplet"}}],
            "seeds": list(range(count)),
        }
    )
    with database.write() as write:
        comparisons.create(write, spec=spec, raw=spec.model_dump(mode="json"), now=time.time())
    ids = []
    with database.write() as write:
        for _ in range(count):
            run = runs.claim(write, worker="bench", device="cpu", now=time.time())
            assert run is not None
            ids.append(run.id)
    return ids


if __name__ == "__main__":
    main()
