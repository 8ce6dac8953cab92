"""Every event counts once, in order and for its attempt, or not at all."""

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.db.database import Database
from backend.ingest import handlers
from backend.runs import repository as runs
from backend.runs.schemas import run_out
from contract.events import Event, Failure, Lost
from tests.backend.helpers import Attempt, claim, points_of, run_now, running
from tests.support.examples import at_most


def store(database: Database, *events: Event) -> Counter[str]:
    with database.write() as write:
        return handlers.store_events(write, events, now=2000.0)


def test_a_run_from_start_to_end(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    counts = store(
        database,
        attempt.started(total_steps=20),
        attempt.points([0, 1], [0.5, None]),
        attempt.log("one", "two"),
        attempt.points([2], [math.nan]),
        attempt.ended(),
    )
    assert counts == {"taken": 5}
    over = run_now(database, run.id)
    assert (over.state, over.step, over.total_steps, over.steps_per_epoch) == (
        *("succeeded", 2, 20, 10),
    )
    assert (over.started_at, over.ended_at, over.committed_seq) == (2000, 2000, 5)
    assert points_of(database, run.id) == ([0, 1, 2], [0.5, None, None])
    with database.read() as session:
        assert runs.log_lines(session, run.id) == ["one", "two"]


def test_preparation_is_shown_until_the_first_step(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    store(database, attempt.preparing(0), attempt.preparing(4))
    before = run_out(run_now(database, run.id), now=2000.0)
    assert before.preparing is not None
    assert (before.preparing.done, before.preparing.total, before.preparing.eta_s) == (4, 10, 3)
    assert (before.state, before.progress, before.started_at is not None) == ("running", 0, True)
    store(database, attempt.started())
    assert run_now(database, run.id).preparing is None


def test_a_lost_attempt_is_in_the_runs_log_and_its_cause_in_the_failure(
    database: Database,
) -> None:
    run = running(database)
    for number in (1, 2, 3):
        lost = Lost(run=run.id, attempt=number, reason="silent\nfor 75 s", cause="A disk hangs.")
        assert store(database, lost) == {"taken": 1}
        claim(database)
    with database.read() as session:
        assert runs.log_lines(session, run.id)[:2] == ["attempt 1 was lost: silent", "for 75 s"]
    over = run_now(database, run.id)
    assert over.state == "failed"
    assert over.error is not None
    assert "for 75 s" in over.error["message"]
    assert over.error["cause"] == "A disk hangs."


def test_the_end_of_a_trainer_whose_run_was_cancelled_is_told_as_a_cancel(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    run = running(database)
    with database.write() as write:
        runs.cancel(write, runs.get(write.session, run.id), now=1500.0)
    with caplog.at_level("INFO"):
        store(database, Attempt(run.id).lost("its trainer was ended", strike=False))
    assert run_now(database, run.id).state == "cancelled"
    assert [(one.levelname, one.message) for one in caplog.records] == [("INFO", "cancelled")]
    with database.read() as session:
        assert runs.log_lines(session, run.id) == []


@pytest.mark.parametrize("how", ["failed", "lost"])
def test_a_run_that_ends_during_preparation_shows_none(database: Database, how: str) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    last = attempt.lost() if how == "lost" else None
    store(database, attempt.preparing(4), last or attempt.ended("failed", Failure(message="no")))
    assert run_now(database, run.id).preparing is None


def test_a_failure_is_stored(database: Database) -> None:
    run = running(database)
    failure = Failure(message="loss is NaN at step 3", cause="lr", step=3)
    store(database, Attempt(run.id).ended("failed", failure))
    assert run_now(database, run.id).error == failure.model_dump()


def test_duplicates_count_once(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    events: list[Event] = [attempt.started(), attempt.points([0, 1])]
    events += [attempt.log("x"), attempt.points([2])]
    assert store(database, *events) == {"taken": 4}
    assert store(database, *events) == {"duplicate": 4}
    assert points_of(database, run.id)[0] == [0, 1, 2]
    with database.read() as session:
        assert runs.log_lines(session, run.id) == ["x"]


def test_after_a_gap_nothing_counts_until_it_is_filled(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    one, two, three = attempt.points([0]), attempt.points([1]), attempt.points([2])
    assert store(database, one, three) == {"taken": 1, "gap": 1}
    assert run_now(database, run.id).committed_seq == 1
    assert store(database, two, three) == {"taken": 2}
    assert points_of(database, run.id)[0] == [0, 1, 2]


@hypothesis_settings(
    max_examples=at_most(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_order_of_delivery_ends_with_every_point_once(database: Database, data: Any) -> None:
    """Messages are shuffled, repeated and lost; the reporter resends those not committed."""
    run = running(database)
    attempt = Attempt(run.id)
    events: list[Event] = [attempt.points([s, s + 1], key="k") for s in range(0, 20, 2)]
    events.append(attempt.ended())
    rng = random.Random(data.draw(st.integers(0, 2**31)))
    while run_now(database, run.id).state == "running":
        left = events[run_now(database, run.id).committed_seq :]
        sent = [event for event in left for _ in range(rng.randrange(3))]
        rng.shuffle(sent)
        store(database, *sent, *left[:1])
    assert points_of(database, run.id) == (list(range(20)), [float(s) for s in range(20)])
    assert run_now(database, run.id).committed_seq == len(events)


def test_events_of_an_older_attempt_are_stale(database: Database) -> None:
    run = running(database)
    old = Attempt(run.id)
    store(database, old.started(), old.points([0, 1]), old.lost())
    assert store(database, old.points([2])) == {"stale": 1}  # queued again, not yet claimed
    assert claim(database) is not None
    new = Attempt(run.id, attempt=2)
    assert store(database, old.points([3]), old.lost(), old.ended()) == {"stale": 3}
    assert store(database, new.started(), new.points([0])) == {"taken": 2}
    assert points_of(database, run.id)[0] == [0]
    assert run_now(database, run.id).state == "running"


def test_events_of_an_unknown_or_finished_run_are_dropped(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    store(database, attempt.ended("cancelled"))
    assert store(database, attempt.points([9])) == {"stale": 1}
    assert store(database, Attempt("r0").started()) == {"unknown run": 1}
    assert points_of(database, run.id) == ([], [])


def test_losses_with_and_without_a_strike(database: Database) -> None:
    run = running(database)
    for number in (1, 2):
        assert store(database, Attempt(run.id, number).lost(strike=number > 1)) == {"taken": 1}
        claim(database)
    assert run_now(database, run.id).strikes == 1
    for number in (3, 4):
        store(database, Attempt(run.id, number).lost("out of memory"))
        claim(database)
    over = run_now(database, run.id)
    assert over.state == "failed"
    assert over.error is not None
    assert "out of memory" in over.error["message"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_become_none(database: Database, value: float) -> None:
    run = running(database)
    event = Attempt(run.id).points([0])
    column = event.series[0].model_copy(update={"values": [value]})
    store(database, event.model_copy(update={"series": [column]}))
    assert points_of(database, run.id) == ([0], [None])
