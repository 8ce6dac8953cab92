"""Attempts die, runs are cancelled, the API is restarted: every trial still counts once."""

import random
from typing import Any

import pytest

from backend.db.database import Database
from backend.db.models import Run
from backend.ingest import handlers
from backend.runs import repository as runs
from backend.tuning.engine import Engine
from contract.events import Event, Failure
from tests.backend.helpers import Attempt, claim
from tests.backend.tuning.searches import (
    OBJECTIVE,
    UNTRAINED,
    drive,
    finish,
    margin_of_a_half,
    runs_of,
    settings_of,
    submit_tuned,
    told,
    trials_of,
)

KILLS = 50


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_after_fifty_kills_every_arm_has_its_trials_and_the_same_outcome(
    quick_database: Database, sampler: str
) -> None:
    database = quick_database
    settings: dict[str, Any] = {"trials": 10, "sampler": sampler, "round": 5, "folds": 2}
    undisturbed = submit_tuned(database, **settings)
    drive(database)

    made = submit_tuned(database, **settings)
    order = random.Random(5)
    kills = 0
    while run := claim(database):
        attempt = Attempt(run.id, run.attempt)
        if kills < KILLS and order.random() < 0.8:
            kills += 1
            _begin(database, attempt, order.randrange(4))
            _kill(database, run, order)
        else:
            finish(database, run, margin_of_a_half(run, settings_of(database, run)))
        _send_late(database, attempt)
        Engine(database, lambda: 2000.0).advance()  # of a process that has just started
        if order.random() < 0.2:
            with database.write() as write:
                runs.retry_all(write, made.id)
        if not _any_queued(database):
            with database.write() as write:
                runs.retry_all(write, made.id)
    assert kills == KILLS
    assert told(database, made.id) == told(database, undisturbed.id)
    for arm in ("pull", "rank"):
        own = [one for one in trials_of(database, made.id) if one.arm == arm]
        assert [(one.number, one.state) for one in own] == [(n, "complete") for n in range(10)]


def _begin(database: Database, attempt: Attempt, points: int) -> None:
    """Store what an attempt had measured when it died: better values than any that count."""
    events: list[Event] = [attempt.started(40), attempt.points([0], [UNTRAINED], OBJECTIVE)]
    events += [attempt.points([10 * n], [50.0], OBJECTIVE) for n in range(1, points + 1)]
    with database.write() as write:
        handlers.store_events(write, events, now=1002.0)


def _kill(database: Database, run: Run, order: random.Random) -> None:
    with database.write() as write:
        found = runs.get(write.session, run.id)
        if order.random() < 0.3:
            runs.cancel(write, found, now=1003.0)
        # A third strike would be a failure, see below.
        strike = found.strikes < runs.MAX_STRIKES - 1
        runs.lose_attempt(write, found, reason="killed", strike=strike, now=1003.0)


def _send_late(database: Database, attempt: Attempt) -> None:
    """Deliver what a dead attempt had sent before: a better value, and its end."""
    late: list[Event] = [attempt.points([30], [70.0], OBJECTIVE), attempt.ended()]
    with database.write() as write:
        assert handlers.store_events(write, late, now=1004.0)["taken"] == 0


def _any_queued(database: Database) -> bool:
    with database.read() as session:
        return runs.count_queued(session) > 0


def test_three_dead_attempts_in_a_row_fail_the_trial_with_the_reason(database: Database) -> None:
    made = submit_tuned(database, trials=2)
    for _ in range(runs.MAX_STRIKES):
        run = claim(database)
        assert run is not None
        with database.write() as write:
            found = runs.get(write.session, run.id)
            runs.lose_attempt(write, found, reason="out of memory", strike=True, now=1003.0)
    drive(database)
    first = trials_of(database, made.id)[0]
    assert (first.arm, first.number, first.state) == ("pull", 0, "failed")
    [failed] = [run for run in runs_of(database, made.id, "trial") if run.state == "failed"]
    assert "out of memory" in Failure(**(failed.error or {})).message
    assert len(runs_of(database, made.id, "final")) == 4
