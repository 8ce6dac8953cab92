"""Which worker gets a run, and how its states follow from one another."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.db.database import Commit, Database
from backend.db.models import Run
from backend.errors import ConflictError
from backend.metrics import points
from backend.runs import repository as runs
from tests.backend.helpers import claim, points_of, run_now, running, submit


def test_of_eight_claims_at_once_one_gets_the_run(database: Database) -> None:
    submit(database)
    together = threading.Barrier(8)

    def ask(worker: int) -> Run | None:
        together.wait()
        return claim(database, f"w{worker}")

    with ThreadPoolExecutor(8) as pool:
        found = [run for run in pool.map(ask, range(8)) if run]
    assert len(found) == 1
    assert run_now(database, found[0].id).worker == found[0].worker


def test_highest_priority_then_oldest_then_seed_by_seed(database: Database) -> None:
    arms = [{"name": n, "loss": {"kind": "triplet"}} for n in ("a", "b")]
    first = submit(database, arms=arms, seeds=[5, 6])
    urgent = submit(database)
    with database.write() as write:
        for run in runs.of_comparison(write.session, urgent.id):
            run.priority = 1
            write.session.add(run)
    order = list(iter(lambda: claim(database), None))
    assert [(run.comparison_id, run.arm, run.seed) for run in order] == [
        (urgent.id, "triplet", 0),
        *((first.id, arm, seed) for seed in (5, 6) for arm in ("a", "b")),
    ]


def test_a_new_attempt_deletes_what_the_attempt_before_measured(database: Database) -> None:
    run = running(database)
    with database.write() as write:
        ids = points.ensure_series(write.session, [(run.id, "k")])
        points.insert(write.session, {ids[run.id, "k"]: ([0, 1, 2], [0.0, 1.0, 2.0])})
        runs.lose_attempt(write, runs.get(write.session, run.id), reason="x", strike=True, now=2)
    assert points_of(database, run.id)[0] == [0, 1, 2]  # visible until the next attempt begins
    commits: list[Commit] = []
    database.on_commit = commits.append
    again = claim(database)
    assert again is not None
    assert (again.id, again.attempt, again.step) == (run.id, 2, 0)
    assert points_of(database, run.id) == ([], [])
    assert commits[0].updates[run.comparison_id].drops == {run.id: -1}


def test_a_new_attempt_keeps_what_its_checkpoint_holds(database: Database) -> None:
    run = running(database)
    steps = list(range(1000))
    with database.write() as write:
        ids = points.ensure_series(write.session, [(run.id, "k")])
        points.insert(write.session, {ids[run.id, "k"]: (steps, [float(s) for s in steps])})
        found = runs.get(write.session, run.id)
        runs.lose_attempt(write, found, reason="x", strike=True, now=2)
        found.start_after = 300
    again = claim(database)
    assert again is not None
    assert again.step == 300
    assert points_of(database, run.id)[0] == list(range(301))


def test_three_lost_in_a_row_fail_the_run(database: Database) -> None:
    run = running(database)
    for strike in (1, 2, 3):
        with database.write() as write:
            runs.lose_attempt(
                write, runs.get(write.session, run.id), reason=f"r{strike}", strike=True, now=1009
            )
        if strike < 3:
            assert run_now(database, run.id).attempt == strike + 1
            claim(database)
    over = run_now(database, run.id)
    assert (over.state, over.attempt, over.ended_at) == ("failed", 3, 1009)
    assert over.error is not None
    assert "r3" in over.error["message"]
    assert claim(database) is None


def test_losses_without_a_strike_never_fail_the_run(database: Database) -> None:
    run = running(database)
    for _ in range(5):
        with database.write() as write:
            runs.lose_attempt(
                write, runs.get(write.session, run.id), reason="x", strike=False, now=9
            )
        assert claim(database) is not None
    assert run_now(database, run.id).attempt == 6


def test_cancelled_while_queued_is_never_claimed(database: Database) -> None:
    comparison = submit(database)
    with database.write() as write:
        [run] = runs.of_comparison(write.session, comparison.id)
        runs.cancel(write, run, now=5)
    assert run_now(database, run.id).state == "cancelled"
    assert claim(database) is None


def test_lost_while_asked_to_cancel_is_cancelled(database: Database) -> None:
    run = running(database)
    with database.write() as write:
        runs.cancel(write, runs.get(write.session, run.id), now=5)
    asked = run_now(database, run.id)
    assert (asked.state, asked.cancel) == ("running", True)
    with database.write() as write:
        runs.lose_attempt(write, runs.get(write.session, run.id), reason="x", strike=True, now=6)
    assert run_now(database, run.id).state == "cancelled"


def test_a_retry_is_a_new_attempt_without_strikes_and_times(database: Database) -> None:
    run = running(database)
    with database.write() as write:
        found = runs.get(write.session, run.id)
        with pytest.raises(ConflictError, match="running"):
            runs.retry(write, found)
        found.strikes = 2
        runs.end(write, found, state="failed", failure=None, now=5)
        runs.retry(write, found)
    again = run_now(database, run.id)
    assert (again.state, again.attempt, again.strikes, again.ended_at) == ("queued", 2, 0, None)
    with database.write() as write:  # an ended run is not cancelled a second time
        found = runs.get(write.session, run.id)
        runs.end(write, found, state="succeeded", failure=None, now=5)
        runs.cancel(write, found, now=6)
    assert run_now(database, run.id).state == "succeeded"
