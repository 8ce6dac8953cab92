"""One sender of several runs, against a real broker and a small backend."""

from tests.support.backend import Backend
from tests.support.waiting import until
from worker.reporting.event_sender import EventSender, connect_to_broker
from worker.reporting.outbox import Outbox
from worker.reporting.stream_reporter import StreamReporter

SPEC = {"arms": [{"name": "a"}]}


def test_runs_share_a_sender_and_one_that_was_discarded_holds_up_no_other(
    backend: Backend, broker_url: str
) -> None:
    runs = backend.queue_together(SPEC, range(3))
    for run in runs:
        run.state = "running"
    client = connect_to_broker(broker_url, timeout=1)
    sender = EventSender(client)
    reporters = [StreamReporter(run.id, 1, sender, Outbox()) for run in runs]
    for number, reporter in enumerate(reporters):
        reporter.started(device="cpu", total_steps=100, steps_per_epoch=10)
        for step in range(100):
            reporter.points(step, {"dynamics.loss": float(100 * number + step)})
    reporters[1].discard()
    for reporter in reporters:
        reporter.ended("succeeded")
    reporters[1].close()  # though nobody says what is stored
    for number in (0, 2):
        run, reporter = runs[number], reporters[number]
        until(lambda run=run: run.state == "succeeded", "the end")  # type: ignore[misc]
        reporter.mark_stored(len(run.events))
        reporter.close()
        values = [(step, float(100 * number + step)) for step in range(100)]
        assert run.series == {"dynamics.loss": values}
    assert runs[1].state == "running"
    sender.close()
    client.close()
