"""The reporter of a run against a real broker and a small backend, with faults of both."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from contract.events import Ended, Failure, Log, Points, Started
from contract.metrics.versions import MEASURES_VERSION, engine_version
from tests.support.backend import Backend, Run
from tests.support.broker import Broker
from tests.support.waiting import until
from worker.reporting.event_sender import EventSender, connect_to_broker
from worker.reporting.outbox import Outbox
from worker.reporting.stream_reporter import StreamReporter


@contextmanager
def reporting(
    broker_url: str, outbox: Outbox | None = None
) -> Iterator[tuple[StreamReporter, Run, Backend]]:
    """Open a reporter of a running run; 20 times a second it learns what the backend has stored."""
    backend = Backend(broker_url)
    run = backend.queue({"arms": [{"name": "a"}]})
    run.state = "running"
    client = connect_to_broker(broker_url, timeout=1)
    sender = EventSender(client)
    reporter = StreamReporter(run.id, 1, sender, outbox or Outbox())
    over = threading.Event()

    def relay() -> None:
        while not over.wait(0.05):
            if not backend.away:
                reporter.mark_stored(len(run.events))

    relaying = threading.Thread(target=relay)
    relaying.start()
    try:
        yield reporter, run, backend
    finally:
        over.set()
        relaying.join()
        sender.close()
        backend.close()
        client.close()


def report(reporter: StreamReporter, steps: int, pause: Callable[[int], None]) -> None:
    reporter.started(device="cpu", total_steps=steps, steps_per_epoch=10)
    for step in range(steps + 1):
        reporter.points(step, {"dynamics.loss": 1.0 / (step + 1), "run.elapsed_s": step / 10})
        pause(step)
    reporter.ended("succeeded")
    reporter.close()


def assert_complete(run: Run, steps: int) -> None:
    assert [getattr(event, "seq", None) for event in run.events] == [*range(1, len(run.events) + 1)]
    assert run.series["dynamics.loss"] == [(s, 1.0 / (s + 1)) for s in range(steps + 1)]
    assert run.state == "succeeded"


def test_events_arrive_in_order_with_the_end_last(broker_url: str) -> None:
    with reporting(broker_url) as (reporter, run, _):
        splits = {"train": 6, "validation": 2, "test": 2}
        reporter.started(device="cpu", total_steps=3, steps_per_epoch=1, splits=splits)
        reporter.points(0, {"dynamics.loss": 2.0})
        reporter.log(["one", "two"])
        reporter.points(1, {"dynamics.loss": math.nan, "run.elapsed_s": math.inf})
        reporter.ended("failed", Failure(message="NaN", step=1))
        reporter.close()
    kinds = [type(event) for event in run.events]
    assert kinds == [Started, Points, Log, Points, Ended]
    assert run.series == {"dynamics.loss": [(0, 2.0), (1, None)], "run.elapsed_s": [(1, None)]}
    first, last = run.events[0], run.events[-1]
    assert isinstance(first, Started)
    assert first.splits == splits
    assert first.versions == {"engine": engine_version(), "measures": str(MEASURES_VERSION)}
    assert isinstance(last, Ended)
    assert last.failure == Failure(message="NaN", step=1)


def test_points_are_flushed_within_50_ms_of_being_measured(broker_url: str) -> None:
    with reporting(broker_url) as (reporter, run, _):
        reporter.started(device="cpu", total_steps=3, steps_per_epoch=1)
        reporter.points(0, {"dynamics.loss": 2.0})
        until(lambda: run.step == 0, "the point", timeout=5)
        reporter.ended("succeeded")
        reporter.close()


def test_a_killed_broker_loses_and_doubles_nothing(broker: Broker, broker_url: str) -> None:
    with reporting(broker_url) as (reporter, run, _):

        def disturb(step: int) -> None:
            time.sleep(0.001)
            if step == 300:
                until(lambda: run.step >= 100, "points before the fault")
                broker.kill()
            if step == 500:
                broker.start()

        report(reporter, 1000, disturb)
    assert_complete(run, 1000)


def test_what_a_full_broker_refuses_is_logged_in_its_words_and_sent_again(
    broker: Broker, broker_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with reporting(broker_url) as (reporter, run, _), ExitStack() as filled:

        def disturb(step: int) -> None:
            if step == 30:
                filled.enter_context(broker.full())
            if step == 60:
                until(lambda: "refuses events" in caplog.text, "a refusal")
                filled.close()

        report(reporter, 100, disturb)
    assert_complete(run, 100)
    said = [record.getMessage() for record in caplog.records if "broker" in record.getMessage()]
    assert said[0] == (
        "the broker refuses events, asking again: "
        "command not allowed when used memory > 'maxmemory'."
    )
    assert said[1:] == ["the broker takes events again"]


def test_events_that_a_broker_lost_are_sent_again(broker: Broker, broker_url: str) -> None:
    with reporting(broker_url) as (reporter, run, backend):

        def lose(step: int) -> None:
            if step == 50:
                run.drops_events = True
                before = backend.dropped
                reporter.log(["lost on the way"])
                until(lambda: backend.dropped > before, "a lost event")
                run.drops_events = False

        report(reporter, 100, lose)
    assert_complete(run, 100)


def test_a_full_outbox_makes_the_loop_wait_until_the_limit_is_lifted(broker_url: str) -> None:
    with reporting(broker_url, Outbox(limit_bytes=2000)) as (reporter, run, _):
        run.drops_events = True
        progress = [0]

        def note(step: int) -> None:
            progress.append(step)
            time.sleep(0.002)  # a step's worth of work, so that flushes come between

        def loop() -> None:
            report(reporter, 400, note)

        looping = threading.Thread(target=loop)
        looping.start()
        until(lambda: reporter.outbox.full, "a full outbox")
        looping.join(timeout=0.5)
        assert looping.is_alive()
        assert progress[-1] < 400
        reporter.lift_limit()
        until(lambda: progress[-1] == 400, "the loop to go on")
        run.drops_events = False
        looping.join()
    assert_complete(run, 400)


def test_bulk_reporting_is_fast_enough(broker_url: str) -> None:
    keys = [f"dynamics.part_{i}" for i in range(16)]
    with reporting(broker_url) as (reporter, run, _):
        reporter.started(device="cpu", total_steps=2000, steps_per_epoch=10)
        for step in range(2000):
            reporter.points(step, dict.fromkeys(keys, step / 7))
        reporter.ended("succeeded")
        reporter.close()
    assert all(len(points) == 2000 for points in run.series.values())
    assert len(run.series) == len(keys)


@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_close_returns_once_the_end_is_stored(broker_url: str, state: str) -> None:
    with reporting(broker_url) as (reporter, run, _):
        reporter.started(device="cpu", total_steps=1, steps_per_epoch=1)
        reporter.ended("cancelled" if state == "cancelled" else "succeeded")
        reporter.close()
        assert run.state == state
