"""Dead workers are noticed and wake-ups sent; the test sets the clock and never waits."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.db.database import Database
from backend.maintenance.sweeper import Sweeper
from backend.workers.registry import Leases, Workers
from backend.workers.wakeups import WakeQueue
from contract.names import wake_queue
from tests.backend.helpers import Attempt, claim, run_now, running, send, submit
from tests.support.broker import Broker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A sweeper whose clock and collector the test controls."""

    def __init__(self, database: Database, url: str) -> None:
        self.clock = Clock()
        self.processed = True
        self.asked: list[str] = []
        self.database = database
        self.leases = Leases(10, self.clock)
        self.workers = Workers(self.clock)
        self.queue = WakeQueue(url)
        self.sweeper = Sweeper(
            database, self.leases, self.workers, self.queue, has_processed=self._has_processed
        )

    def _has_processed(self, entry: str) -> bool:
        self.asked.append(entry)
        return self.processed

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.sweeper.sweep()


@pytest.fixture
def bench(database: Database, broker_url: str) -> Iterator[Bench]:
    made = Bench(database, broker_url)
    yield made
    made.queue.close()


def waiting(broker: Broker, device: str = "cpu") -> int:
    count: Any = broker.client.llen(wake_queue(device))
    return int(count)


def test_a_lapsed_lease_queues_the_run_again_and_sends_a_wake_up(
    bench: Bench, broker: Broker
) -> None:
    run = running(bench.database)
    bench.leases.grant(run.id, 1)
    bench.later(9.9)
    assert run_now(bench.database, run.id).state == "running"
    bench.later(0.2)
    again = run_now(bench.database, run.id)
    assert (again.state, again.attempt, again.strikes) == ("queued", 2, 1)
    assert waiting(broker) == 1
    bench.later(60)  # judged once
    assert run_now(bench.database, run.id).attempt == 2


def test_a_heartbeat_in_time_keeps_the_lease(bench: Bench) -> None:
    run = running(bench.database)
    for _ in range(5):
        bench.leases.grant(run.id, 1)
        bench.later(8)
    assert run_now(bench.database, run.id).attempt == 1


def test_events_still_in_the_stream_are_processed_first(bench: Bench, broker: Broker) -> None:
    run = running(bench.database)
    bench.leases.grant(run.id, 1)
    attempt = Attempt(run.id)
    send(broker.client, attempt.started(), attempt.ended())
    bench.processed = False
    bench.later(11)
    bench.later(11)
    assert run_now(bench.database, run.id).state == "running"
    send(broker.client, attempt.started())
    bench.processed = True
    bench.later(1)
    assert run_now(bench.database, run.id).attempt == 2
    assert len(set(bench.asked)) == 1  # the tail as of the lease's end, not a later one


def test_a_heartbeat_while_the_stream_drains_saves_the_run(bench: Bench) -> None:
    run = running(bench.database)
    bench.leases.grant(run.id, 1)
    bench.processed = False
    bench.later(11)
    bench.leases.grant(run.id, 1)
    bench.processed = True
    bench.later(1)
    assert run_now(bench.database, run.id).attempt == 1


def test_a_lapse_while_the_api_was_down_is_no_strike(bench: Bench) -> None:
    run = running(bench.database)
    bench.leases.grant(run.id, 1, strike=False)
    bench.later(11)
    assert (run_now(bench.database, run.id).attempt, run_now(bench.database, run.id).strikes) == (
        *(2, 0),
    )


def test_a_cancelled_run_of_a_dead_worker_ends(bench: Bench) -> None:
    run = running(bench.database)
    bench.leases.grant(run.id, 1)
    with bench.database.write() as write:
        found = write.session.get(type(run), run.id)
        assert found is not None
        found.cancel = True
    bench.later(11)
    assert run_now(bench.database, run.id).state == "cancelled"


def test_the_lease_of_an_ended_run_is_removed(bench: Bench) -> None:
    bench.leases.grant("r-gone", 1)
    bench.later(11)
    assert bench.leases.lapsed() == []


def test_wake_ups_follow_queued_runs_and_slots(bench: Bench, broker: Broker) -> None:
    bench.later(0)
    assert waiting(broker) == 0
    submit(bench.database, seeds=list(range(9)))
    bench.later(0)
    assert waiting(broker) == 2  # no slot heard of: two for the one that may come
    for name in ("a", "b", "c"):
        bench.workers.seen(name, device="cpu", host="h", pid=1)
    bench.workers.seen("g", device="cuda", host="h", pid=1)
    bench.later(0)
    bench.later(0)
    assert (waiting(broker), waiting(broker, "cuda")) == (6, 2)
    while claim(bench.database):
        pass
    broker.client.flushall()
    bench.later(0)
    assert waiting(broker) == 0


def test_a_broker_that_stops_and_returns(bench: Bench, broker: Broker) -> None:
    run = running(bench.database)
    bench.leases.grant(run.id, 1)
    submit(bench.database)
    bench.later(0)
    assert waiting(broker) == 1
    broker.kill()
    bench.later(30)  # no run is lost while the stream cannot be read
    assert run_now(bench.database, run.id).state == "running"
    broker.start()
    broker.client.flushall()
    bench.later(1)
    assert run_now(bench.database, run.id).state == "queued"
    assert waiting(broker) == 2
