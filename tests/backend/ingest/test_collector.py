"""The collector with a real broker: every point exactly once, whatever fails in between."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.ingest import event_stream
from backend.ingest.collector import Collector
from backend.runs import repository as runs
from contract.events import Points
from contract.names import COLLECTOR_GROUP, EVENT_FIELD, EVENT_STREAM
from tests.backend.helpers import Attempt, points_of, run_now, running, send
from tests.support.broker import Broker
from tests.support.waiting import until


@contextmanager
def collecting(database: Database, url: str) -> Iterator[Collector]:
    collector = Collector(database, url)
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()
        collector.join()


def until_over(database: Database, run: str) -> None:
    until(lambda: run_now(database, run).state != "running", f"the end of {run}", timeout=20)


def full_run(run: str, steps: int = 40) -> list[Any]:
    attempt = Attempt(run)
    middle = [attempt.points([s, s + 1]) for s in range(0, steps, 2)]
    return [attempt.started(), *middle, attempt.ended()]


def renumbered(events: list[Any]) -> list[Any]:
    return [event.model_copy(update={"seq": at + 1}) for at, event in enumerate(events)]


def test_stream_to_database(database: Database, broker: Broker, broker_url: str) -> None:
    run = running(database)
    send(broker.client, *renumbered(full_run(run.id)))
    with collecting(database, broker_url) as collector:
        until_over(database, run.id)
        tail = event_stream.newest_entry(broker.client)
        until(lambda: collector.has_processed(tail), "the collector to pass the tail")
    assert points_of(database, run.id)[0] == list(range(40))
    assert broker.client.xlen(EVENT_STREAM) == 0
    assert database.position == tail
    assert collector.counts == {"taken": 22}


def test_invalid_events_delay_nothing(database: Database, broker: Broker, broker_url: str) -> None:
    run = running(database)
    for field, text in ((EVENT_FIELD, "junk"), ("other", "1"), (EVENT_FIELD, '{"kind": 1}')):
        broker.client.xadd(EVENT_STREAM, {field: text})
    events = renumbered(full_run(run.id))
    # No database has room for this step: it is no event.
    huge = Points(**Attempt(run.id)._next(), step=0, series=events[1].series).model_copy(
        update={"step": 2**70}
    )
    send(broker.client, huge, *events)
    with collecting(database, broker_url) as collector:
        until_over(database, run.id)
    assert collector.counts == {"undecodable": 4, "taken": 22}
    assert points_of(database, run.id)[0] == list(range(40))


class Crash(BaseException):
    """Simulates kill -9: nothing catches it."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_crash_between_commit_and_acknowledgement(
    database: Database, broker: Broker, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = running(database)
    events = renumbered(full_run(run.id))
    send(broker.client, *events[:-1])

    def crash(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(event_stream, "acknowledge", crash)
        collector = Collector(database, broker_url)
        collector.start()
        collector.join(timeout=60)
        assert not collector.is_alive()
    assert run_now(database, run.id).committed_seq == 21  # committed, and still in the stream
    assert broker.client.xpending(EVENT_STREAM, COLLECTOR_GROUP)["pending"] == 21
    with collecting(database, broker_url) as successor:
        send(broker.client, events[-1])
        until_over(database, run.id)
    assert successor.counts == {"duplicate": 21, "taken": 1}
    assert points_of(database, run.id)[0] == list(range(40))
    assert broker.client.xlen(EVENT_STREAM) == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_crash_before_the_commit(
    database: Database, broker: Broker, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = running(database)
    send(broker.client, *renumbered(full_run(run.id)))

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("backend.metrics.points.insert", crash)
        collector = Collector(database, broker_url)
        collector.start()
        collector.join(timeout=60)
    assert run_now(database, run.id).committed_seq == 0
    with collecting(database, broker_url):
        until_over(database, run.id)
    assert points_of(database, run.id)[0] == list(range(40))


def test_a_database_that_fails_for_a_while(
    database: Database, broker: Broker, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = running(database)
    send(broker.client, *renumbered(full_run(run.id)))
    commit = Collector._commit
    failures = [OperationalError("INSERT", {}, sqlite3.OperationalError("disk is full"))] * 3

    def failing(self: Collector, chunk: Any) -> None:
        if failures:
            raise failures.pop()
        commit(self, chunk)

    monkeypatch.setattr(Collector, "_commit", failing)
    with collecting(database, broker_url) as collector:
        until_over(database, run.id)
    assert collector.counts == {"taken": 22}


def test_a_broker_that_dies_and_forgets(
    database: Database, broker: Broker, broker_url: str
) -> None:
    run = running(database)
    events = renumbered(full_run(run.id))
    with collecting(database, broker_url):
        send(broker.client, *events[:10])
        until(lambda: run_now(database, run.id).committed_seq == 10, "the first ten")
        broker.kill()
        broker.start()
        broker.client.flushall()  # the consumer group is gone too
        send(broker.client, *events[5:])
        until_over(database, run.id)
    assert points_of(database, run.id)[0] == list(range(40))


def test_a_broker_that_starts_late(database: Database, broker: Broker, broker_url: str) -> None:
    run = running(database)
    broker.kill()
    with collecting(database, broker_url):
        broker.start()
        send(broker.client, *renumbered(full_run(run.id)))
        until_over(database, run.id)


def test_events_of_a_deleted_comparison(
    database: Database, broker: Broker, broker_url: str
) -> None:
    run = running(database)
    other = running(database)
    events = renumbered(full_run(run.id))
    with collecting(database, broker_url) as collector:
        send(broker.client, *events[:5])
        until(lambda: run_now(database, run.id).committed_seq == 5, "the first five")
        with database.write() as write:
            comparisons.remove(write, run.comparison_id)
        send(broker.client, *events[5:], *renumbered(full_run(other.id)))
        until_over(database, other.id)
    assert collector.counts["unknown run"] == len(events) - 5
    with database.read() as session:
        assert runs.by_id(session, [run.id]) == {}
