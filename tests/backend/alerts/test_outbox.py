"""Alerts are stored with what they tell of: exactly once, or not at all; on both databases."""

from contextlib import suppress
from typing import Any

import pytest
from sqlmodel import col, select

from backend.alerts import outbox, repository
from backend.alerts.outbox import store_alerts
from backend.alerts.posting import Outcome
from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Alert, AlertDelivery, AlertReceiver
from backend.errors import ConflictError, NotFoundError
from backend.ingest import handlers
from backend.runs import repository as runs
from contract.events import Event, Failure
from tests.backend.helpers import Attempt, claim, run_now, submit
from tests.backend.tuning.searches import drive, margin_of_a_half, submit_tuned

FAILURE = Failure(message="no such file", step=3)
DAY_S = 86_400.0
TWO_ARMS = [
    {"name": name, "loss": {"kind": "triplet", "margin": margin}}
    for name, margin in (("near", 0.2), ("far", 0.5))
]


@pytest.fixture
def database(database: Database) -> Database:
    database.before_commit = store_alerts
    return database


def store(database: Database, *events: Event) -> None:
    with database.write() as write:
        handlers.store_events(write, events, now=2000.0)


def told(database: Database) -> list[tuple[str, str]]:
    """Type and text of all alerts, in their order."""
    with database.read() as session:
        rows = session.exec(select(Alert).order_by(col(Alert.id))).all()
        return [(row.type, row.content["text"]) for row in rows]


def receiver(database: Database, comparison: str | None = None, *wanted: str) -> AlertReceiver:
    with database.write() as write:
        return repository.create_receiver(
            write,
            comparison=comparison,
            name="n",
            url="https://hooks.example.org/x",
            wanted=wanted or ("comparison.ended", "run.failed", "arm.collapsed"),
            user="Ada",
            now=1000.0,
        )


def states(database: Database, own: AlertReceiver) -> list[tuple[str, int]]:
    with database.read() as session:
        rows = session.exec(
            select(AlertDelivery)
            .where(AlertDelivery.receiver_id == own.id)
            .order_by(col(AlertDelivery.id))
        )
        return [(row.state, row.tries) for row in rows]


def answer(database: Database, own: AlertReceiver, outcome: Outcome, now: float) -> None:
    """Send the next alert of a receiver, as the deliverer does."""
    with database.read() as session:
        sent = repository.head(session, own.id, now)
    assert sent is not None
    assert sent.delivery.id is not None
    with database.write() as write:
        repository.note_outcome(write, sent.delivery.id, outcome, now)


def test_each_thing_is_told_once_and_to_those_who_want_it(database: Database) -> None:
    own = submit(database, name="d", seeds=[0, 1])
    one, two = claim(database), claim(database)
    other = submit(database, name="other")
    board = receiver(database)
    of_own = receiver(database, own.id)
    of_other = receiver(database, other.id)
    of_ends = receiver(database, None, "comparison.ended")
    assert one is not None
    assert two is not None
    first, second = Attempt(one.id), Attempt(two.id)
    store(database, first.started(), first.noticed("collapsed", 4, "no spread"), second.started())
    store(database, first.noticed("collapsed", 5, over=True), first.noticed("collapsed", 9))
    store(database, second.noticed("collapsed", 7))
    store(database, second.noticed("no_valid_tuple", 7), second.ended("failed", FAILURE))
    store(database, second.ended("failed", FAILURE), first.ended())
    assert told(database) == [
        ("arm.collapsed", f"“d”: {one.arm} has collapsed (seed 0, step 4). no spread"),
        ("run.failed", f"“d”: the run of {two.arm} with seed 1 failed: no such file"),
        ("comparison.ended", "“d” has ended: 1 succeeded, 1 failed."),
    ]
    assert states(database, board) == states(database, of_own) == 3 * [("pending", 0)]
    assert states(database, of_other) == []
    assert states(database, of_ends) == [("pending", 0)]


def test_of_an_arm_whose_runs_all_fail_the_first_is_told_and_again_after_a_retry(
    database: Database,
) -> None:
    own = submit(database, name="d", arms=TWO_ARMS, seeds=[4, 5, 6])
    fail_all(database, own.id)
    failed = [f"“d”: the run of {arm} with seed 4 failed: no such file" for arm in ("near", "far")]
    assert [text for _, text in told(database)] == [*failed, "“d” has ended: 6 failed."]
    with database.write() as write:
        runs.retry_all(write, own.id)
    claimed = [run for _ in range(6) if (run := claim(database)) is not None]
    attempts = [Attempt(run.id, run.attempt) for run in claimed]
    ends = [event for one in attempts for event in (one.started(), one.ended("failed", FAILURE))]
    store(database, *ends)  # in one transaction
    assert [text for _, text in told(database)][3:] == [*failed, "“d” has ended: 6 failed."]


def test_what_an_arm_is_below_is_told_by_its_name(database: Database) -> None:
    submit(database, name="d")
    run = claim(database)
    assert run is not None
    attempt = Attempt(run.id)
    store(database, attempt.started(), attempt.noticed("below_untrained", 8, "Worse."))
    text = "“d”: triplet is below its untrained network (seed 0, step 8). Worse."
    assert told(database) == [("arm.below_untrained", text)]


def test_a_lost_worker_is_told_when_the_run_is_given_up(database: Database) -> None:
    submit(database, name="d")
    for number in range(1, 4):
        assert told(database) == []
        run = claim(database)
        assert run is not None
        store(database, Attempt(run.id, number).lost("killed"))
    assert [kind for kind, _ in told(database)] == ["run.failed", "comparison.ended"]
    assert "3 attempts in a row died" in told(database)[0][1]


def test_what_goes_on_and_ends_again_is_told_again(database: Database) -> None:
    own = submit(database, name="d")
    with database.write() as write:
        runs.cancel_all(write, own.id, now=1500.0)
    with database.write() as write:
        runs.retry_all(write, own.id)
    with database.write() as write:
        runs.cancel_all(write, own.id, now=1600.0)
    assert told(database) == 2 * [("comparison.ended", "“d” has ended: 1 cancelled.")]


def test_a_search_tells_its_end_and_none_of_its_trials(database: Database) -> None:
    submit_tuned(database, name="lost", trials=2, seeds=[0])
    drive(database, lambda *_: None)
    assert told(database) == [("comparison.ended", "“lost” has ended: 4 failed.")]
    submit_tuned(database, name="found", trials=2, seeds=[0])
    drive(database, margin_of_a_half)
    assert told(database)[1:] == [("comparison.ended", "“found” has ended: 6 succeeded.")]


def test_what_is_rolled_back_is_not_told(database: Database) -> None:
    own = submit(database)
    with suppress(ZeroDivisionError), database.write() as write:
        runs.cancel_all(write, own.id, now=1500.0)
        store_alerts(write)
        raise ZeroDivisionError
    assert told(database) == []


def test_a_mistake_in_an_alert_costs_nothing_of_what_it_tells(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    submit(database)
    run = claim(database)
    assert run is not None
    attempt = Attempt(run.id)

    def broken(*given: Any) -> str:
        given[0].connection().exec_driver_sql("SELECT nothing FROM nowhere")
        raise AssertionError

    monkeypatch.setattr(outbox, "_receivers", broken)
    monkeypatch.setattr(outbox, "OperationalError", KeyError)
    store(database, attempt.started(), attempt.ended("failed", FAILURE))
    assert run_now(database, run.id).state == "failed"
    assert told(database) == []
    assert "alerts cannot be stored" in caplog.text


def test_tries_follow_growing_pauses_and_hold_up_what_is_behind(database: Database) -> None:
    own = submit(database, arms=TWO_ARMS)
    board = receiver(database)
    fail_all(database, own.id)
    assert states(database, board) == 3 * [("pending", 0)]
    now = 10_000_000_000.0
    with database.write() as write:
        for row in write.session.exec(select(AlertDelivery)):
            row.queued_at = now
            write.session.add(row)
    refusal, waits = Outcome(500, "it answers 500"), []
    for tries in range(1, 13):
        answer(database, board, refusal, now)
        with database.read() as session:
            due = repository.due(session, now)
        assert due.receivers == []
        assert due.next_at is not None
        waits.append(due.next_at - now)
        assert states(database, board)[1:] == 2 * [("pending", 0)] or tries == 12
        now = due.next_at
    assert waits[:11] == list(repository.PAUSES_S)
    assert 0.9 * DAY_S < sum(waits[:11]) < 1.1 * DAY_S
    assert states(database, board)[0] == ("given_up", 12)
    # What is behind it has its own day; one that has had it is tried no more.
    answer(database, board, refusal, now + DAY_S)
    assert states(database, board) == [("given_up", 12), ("given_up", 1), ("given_up", 0)]
    with database.write() as write:
        [_, second, _] = write.session.exec(select(AlertDelivery).order_by(col(AlertDelivery.id)))
        assert second.id is not None
        repository.retry(write, second.id, now)
    answer(database, board, Outcome(204, ""), now)
    assert states(database, board)[1] == ("delivered", 1)
    with database.write() as write, pytest.raises(ConflictError):
        repository.retry(write, second.id, now)


def fail_all(database: Database, comparison: str) -> None:
    """Fail all runs of a comparison."""
    while (run := claim(database)) is not None:
        attempt = Attempt(run.id)
        store(database, attempt.started(), attempt.ended("failed", FAILURE))


def test_what_belongs_to_a_comparison_goes_with_it(database: Database) -> None:
    own, other = submit(database), submit(database)
    board, of_own = receiver(database), receiver(database, own.id)
    of_other = receiver(database, other.id)
    fail_all(database, own.id)
    with database.read() as session:
        sent = repository.head(session, board.id, 2e9)
    assert sent is not None
    with database.write() as write:
        comparisons.remove(write, own.id)
    assert states(database, of_own) == []
    assert {text for _, text in told(database) if "“" in text} != set(), "the other's are there"
    with database.read() as session:
        left = [row.id for row in session.exec(select(AlertReceiver))]
        assert sorted(left) == sorted([board.id, of_other.id])
        assert len(session.exec(select(AlertDelivery)).all()) == len(states(database, board)) + len(
            states(database, of_other)
        )
    # The answer to what was on its way at that moment changes nothing.
    assert sent.delivery.id is not None
    with database.write() as write:
        repository.note_outcome(write, sent.delivery.id, Outcome(200, ""), 2000.0)
    with database.write() as write:
        repository.delete_receiver(write, board.id, None)
    assert states(database, board) == []


def test_only_so_many_receivers_of_what_there_is(database: Database) -> None:
    for _ in range(repository.MAX_RECEIVERS):
        made = receiver(database)
    with pytest.raises(ConflictError):
        receiver(database)
    own = submit(database)
    receiver(database, own.id)
    with pytest.raises(NotFoundError):
        receiver(database, "c-none")
    with database.write() as write, pytest.raises(NotFoundError):
        repository.delete_receiver(write, made.id, own.id)


def test_old_alerts_are_deleted_but_not_what_waits(database: Database) -> None:
    own = submit(database)
    fail_all(database, own.id)
    receiver(database)
    later = submit(database)
    fail_all(database, later.id)
    assert len(told(database)) == 4
    with database.read() as session:
        newest = max(row.at for row in session.exec(select(Alert)))
        found, last = repository.alerts_after(session, 2, comparison=None, limit=1)
        assert ([one.id for one in found], last) == ([4], 4)
        of_own, _ = repository.alerts_after(session, 0, comparison=own.id, limit=10)
        assert [one.id for one in of_own] == [1, 2]
    with database.write() as write:
        repository.delete_old(write, newest + repository.KEPT_S + 1)
    assert len(told(database)) == 2
