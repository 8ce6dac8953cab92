"""Searches that are cancelled and go on: nothing follows a cancel, and nothing is lost by it."""

from typing import Any

import pytest

from backend.comparisons.search import ComparisonQuery, find
from backend.db.database import Database
from backend.db.models import Run
from backend.runs import repository as runs
from backend.runs import search_progress
from backend.runs.progress import count_runs
from backend.tuning.engine import Engine
from tests.backend.helpers import claim
from tests.backend.tuning.searches import (
    ARMS,
    drive,
    finish,
    margin_of_a_half,
    runs_of,
    settings_of,
    submit_tuned,
    told,
    trials_of,
)
from tests.support.statements import count_statements


def advance(database: Database) -> None:
    Engine(database, lambda: 2000.0).advance()


def claim_all(database: Database) -> list[Run]:
    claimed = []
    while run := claim(database):
        claimed.append(run)
    return claimed


def finish_well(database: Database, run: Run) -> None:
    finish(database, run, margin_of_a_half(run, settings_of(database, run)))


def cancel(database: Database, comparison: str) -> None:
    with database.write() as write:
        runs.cancel_all(write, comparison, now=1500.0)


def retry(database: Database, comparison: str) -> None:
    with database.write() as write:
        runs.retry_all(write, comparison)


def state_of(database: Database, comparison: str) -> str:
    """Return a comparison's state, which lists must tell alike."""
    with database.read() as session:
        counted = count_runs(session, [comparison])[comparison]
        [row] = find(session, ComparisonQuery(), page=1, page_size=10)[0]
        state = search_progress.state(counted, search_progress.search_size(row.spec))
        assert find(session, ComparisonQuery(state=state), page=1, page_size=10)[1] == 1
    return state


def test_cancelled_trials_count_nothing_and_go_on_after_a_retry(database: Database) -> None:
    made = submit_tuned(database, trials=6)
    for _ in range(5):
        run = claim(database)
        assert run is not None
        finish(database, run, 0.5)
        advance(database)
    cancel(database, made.id)
    advance(database)
    states = [one.state for one in trials_of(database, made.id)]
    assert states == ["complete"] * 5 + ["cancelled"] * 7
    assert runs_of(database, made.id, "final") == []
    retry(database, made.id)
    drive(database)
    assert [one.state for one in trials_of(database, made.id)] == ["complete"] * 12
    assert len(runs_of(database, made.id, "final")) == 4


@pytest.mark.both_databases
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_nothing_follows_a_cancel_that_comes_after_the_last_step_of_the_last_run(
    database: Database, sampler: str
) -> None:
    """Its worker reports the end before it learns of the cancel."""
    made = submit_tuned(database, trials=4, sampler=sampler, round=4)
    *others, last = claim_all(database)
    for run in others:
        finish_well(database, run)
    advance(database)
    cancel(database, made.id)
    finish_well(database, last)
    advance(database)
    assert runs_of(database, made.id, "final") == []
    assert {run.state for run in runs_of(database, made.id)} == {"succeeded"}
    assert [one.state for one in trials_of(database, made.id)].count("cancelled") == 1
    assert state_of(database, made.id) == "cancelled"
    retry(database, made.id)
    assert state_of(database, made.id) == "running"
    advance(database)
    assert len(runs_of(database, made.id, "final")) == 4


def test_nothing_follows_a_cancel_between_two_rounds(quick_database: Database) -> None:
    database = quick_database
    settings: dict[str, Any] = {"trials": 4, "sampler": "tpe", "round": 2}
    undisturbed = submit_tuned(database, **settings)
    drive(database)
    expected = told(database, undisturbed.id)
    with database.write() as write:
        write.session.delete(write.session.get_one(type(undisturbed), undisturbed.id))
    made = submit_tuned(database, **settings)
    for run in claim_all(database):
        finish_well(database, run)
    cancel(database, made.id)  # before the sweeper has seen that the round is over
    advance(database)
    assert len(trials_of(database, made.id)) == 4
    assert state_of(database, made.id) == "cancelled"
    retry(database, made.id)
    advance(database)
    drive(database)
    assert told(database, made.id) == expected


def test_a_trial_goes_on_when_none_of_its_runs_is_cancelled_any_more(
    quick_database: Database,
) -> None:
    database = quick_database
    made = submit_tuned(database, ARMS[:1], trials=1, folds=2)
    cancel(database, made.id)
    for run, expected in zip(runs_of(database, made.id), ("cancelled", "waiting"), strict=True):
        with database.write() as write:
            runs.retry(write, runs.get(write.session, run.id))
        assert [one.state for one in trials_of(database, made.id)] == [expected]
    drive(database)
    assert len(runs_of(database, made.id, "final")) == 2


def test_a_cancel_of_the_final_runs_leaves_the_search_as_it_was(quick_database: Database) -> None:
    database = quick_database
    made = submit_tuned(database, ARMS[:1], trials=2)
    for run in claim_all(database):
        finish_well(database, run)
    advance(database)
    before = trials_of(database, made.id)
    cancel(database, made.id)
    assert state_of(database, made.id) == "cancelled"
    assert trials_of(database, made.id) == before
    retry(database, made.id)
    drive(database)
    assert state_of(database, made.id) == "succeeded"


def test_a_cancel_and_a_retry_cost_the_same_statements_for_few_and_many_trials(
    quick_database: Database,
) -> None:
    database = quick_database
    statements = []
    for trials in (2, 40):
        made = submit_tuned(database, ARMS[:1], trials=trials)
        with count_statements(database) as counted:
            cancel(database, made.id)
            retry(database, made.id)
        statements.append(len(counted))
    assert statements[0] == statements[1]
