"""Ours as benchmarks/tracking.py measures it: the reporter, the stream, the store and its reads."""

import math
import threading
import time

from sqlmodel import col, select

from backend.db.database import Commit, Database
from backend.db.models import Run, Series
from backend.ingest.collector import Collector
from backend.metrics import points, series
from benchmarks.peers.job import BATCH, repeated, timed
from benchmarks.store import KEYS, claimed, empty_store, fill_long
from worker.reporting.event_sender import EventSender, connect_to_broker
from worker.reporting.outbox import Outbox
from worker.reporting.stream_reporter import StreamReporter

PATIENCE_S = 120


def logged(total: int, *, width: int = len(KEYS)) -> float:
    """Points a second from the worker's reporter through the broker to the last commit, so many
    at a step."""
    steps = _steps(total, width)
    with empty_store() as (database, broker):
        [run] = claimed(database, 1)
        collector = Collector(database, broker.url)
        ended = _end_of(database, run)
        collector.start()
        with connect_to_broker(broker.url, timeout=5.0) as client:
            sender = EventSender(client)
            reporter = StreamReporter(run, 1, sender, Outbox())
            reporter.started(device="cpu", total_steps=len(steps), steps_per_epoch=100)
            began = time.perf_counter()
            for step, values in steps:
                reporter.points(step, values)
            reporter.ended("succeeded")
            assert ended.wait(PATIENCE_S), "the run was not stored in time"
            took = time.perf_counter() - began
            _close(reporter, database, run)
            sender.close()
        collector.stop()
        collector.join()
        _expect(database, run, total)
    return total / took


def stored(total: int) -> float:
    """Points a second into the store alone, a thousand points a transaction."""
    steps = _steps(total, len(KEYS))
    width = BATCH // len(KEYS)
    with empty_store() as (database, _):
        [run] = claimed(database, 1)
        names = {key: (run, key) for key in KEYS}

        def write() -> None:
            for at in range(0, len(steps), width):
                part = steps[at : at + width]
                numbers = [step for step, _ in part]
                with database.write() as write:
                    ids = points.ensure_series(write.session, names.values())
                    columns: dict[int, tuple[list[int], list[float | None]]] = {
                        ids[name]: (numbers, [values[key] for _, values in part])
                        for key, name in names.items()
                    }
                    points.insert(write.session, columns)

        took = timed(write)
        _expect(database, run, total)
    return total / took


class Curves:
    """A database with a series to thin and one to read whole."""

    def __init__(self, database: Database, long: int, short: int) -> None:
        self._database = database
        self._long, self._short = claimed(database, 2)
        self._totals = (long, short)
        fill_long(database, self._long, long)
        fill_long(database, self._short, short)

    def thinned(self) -> float:
        """Milliseconds for a thousand points of the long series."""

        def read() -> None:
            curve = self._read(self._long, 1000)
            assert curve.total == self._totals[0]
            assert 250 < len(curve.steps) <= 1000

        return repeated(read) * 1e3

    def whole(self) -> float:
        """Milliseconds for all points of the short one."""

        def read() -> None:
            assert len(self._read(self._short, self._totals[1]).steps) == self._totals[1]

        return repeated(read) * 1e3

    def _read(self, run: str, most: int) -> series.Curve:
        with self._database.read() as session:
            row = session.exec(select(Series).where(col(Series.run_id) == run)).one()
            return series.read(session, [row], after=-1, max_points=most)[0]


def _steps(total: int, width: int) -> list[tuple[int, dict[str, float]]]:
    return [
        (step, {key: math.sin(step + at) for at, key in enumerate(KEYS[:width])})
        for step in range(1, total // width + 1)
    ]


def _end_of(database: Database, run: str) -> threading.Event:
    """Set when the run's end, which follows its last point, is committed."""
    ended = threading.Event()

    def watch(commit: Commit) -> None:
        for update in commit.updates.values():
            if run in update.runs and update.runs[run].state == "succeeded":
                ended.set()

    database.on_commit = watch
    return ended


def _close(reporter: StreamReporter, database: Database, run: str) -> None:
    """Tell the reporter what a heartbeat would: everything is stored."""
    with database.read() as session:
        row = session.get(Run, run)
        assert row is not None
        reporter.mark_stored(row.committed_seq)
    reporter.close()


def _expect(database: Database, run: str, total: int) -> None:
    with database.read() as session:
        row = session.get(Run, run)
        assert row is not None
        found = points.count(session, row.comparison_id)
    assert found == total, f"{found} points are stored, {total} were reported"
