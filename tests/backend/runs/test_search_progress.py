"""State, progress and remaining time of comparisons that are tuned, against numbers by hand."""

from collections.abc import Mapping
from itertools import product

import pytest

from backend.comparisons import search
from backend.comparisons.search import ComparisonQuery
from backend.db.database import Database
from backend.runs import search_progress
from backend.runs.progress import Counted, Tally, count_runs
from backend.runs.search_progress import FINAL_TO_TRIAL, SearchSize, search_size
from contract.comparison.spec import parse_spec
from tests.support.tuned import store_tuned, tuned

SIZE = SearchSize(trials=4, runs=8, finals=4)


def counted(trial: str, final: str = "", trials: Mapping[str, int] | None = None) -> Counted:
    return Counted(
        final={state: Tally(runs=1) for state in final.split()},
        trial={state: Tally(runs=1) for state in trial.split()},
        trials=dict(trials or {}),
    )


@pytest.mark.parametrize(
    ("trial", "final", "trials", "expected"),
    [
        ("queued", "", {}, "queued"),
        ("queued cancelled", "", {"cancelled": 1}, "queued"),
        ("queued failed", "", {"failed": 1}, "running"),
        ("running queued", "", {}, "running"),
        ("succeeded", "", {}, "running"),  # the next round, or the final runs, come at once
        ("succeeded", "", {"cancelled": 1}, "cancelled"),
        ("failed succeeded", "", {"failed": 1}, "running"),
        ("failed", "", {"failed": 3}, "running"),
        ("failed", "", {"failed": 4}, "failed"),
        ("cancelled succeeded", "", {"cancelled": 1}, "cancelled"),
        ("cancelled failed", "", {"cancelled": 1, "failed": 1}, "cancelled"),
        ("succeeded", "queued", {}, "running"),
        ("succeeded failed", "succeeded", {"failed": 1}, "succeeded"),
        ("succeeded", "failed succeeded", {}, "failed"),
        ("succeeded", "cancelled succeeded", {}, "cancelled"),
        ("succeeded", "succeeded queued", {}, "running"),
    ],
)
def test_it_is_running_until_its_final_runs_are_done(
    trial: str, final: str, trials: dict[str, int], expected: str
) -> None:
    runs = counted(trial, final, trials)
    assert search_progress.state(runs, SIZE) == expected
    assert search_progress.phase(runs, SIZE) == ("final" if final else "search")


def test_without_a_tuning_it_is_as_ever() -> None:
    assert search_progress.state(counted("", "queued succeeded"), None) == "running"
    assert search_progress.phase(counted("", "queued"), None) is None


def test_the_size_of_a_search() -> None:
    spec = parse_spec(tuned(3, tuning={"trial_seeds": [7, 8]})).model_dump(mode="json")
    assert search_size(spec) == SearchSize(trials=6, runs=24, finals=4)
    assert search_size(spec, arms=1) == SearchSize(trials=3, runs=12, finals=2)
    assert search_size({**spec, "tuning": None}) is None
    old = {key: value for key, value in spec.items() if key != "tuning"}
    assert search_size(old) is None


def test_progress_and_remaining_time_know_what_is_still_to_come() -> None:
    """8 trial runs of 10 s, then 4 final ones: 6 of the 8 are over or halfway."""
    trial = {
        "succeeded": Tally(runs=4, progress=4.0, started=400.0, ended=440.0, timed=4),
        "failed": Tally(runs=1, progress=0.2),
        "running": Tally(runs=2, progress=1.0, slots=2.0, started=880.0, timed=2, timed_slots=2.0),
    }  # one of the 8 is not queued yet
    runs = Counted(trial=trial)
    whole = 8 + FINAL_TO_TRIAL * 4
    assert search_progress.share_done(runs, SIZE) == pytest.approx(6 / whole)
    assert search_progress.run_s(runs, 900.0) == {"trial": 10.0, "final": 15.0}
    assert search_progress.remaining_s(runs, SIZE, 1, 900.0) == 2 * 10 + 4 * 15
    assert search_progress.remaining_s(runs, SIZE, 2, 900.0) == 2 * 10 / 2 + 4 * 15 / 2
    assert search_progress.remaining_s(runs, SIZE, 100, 900.0) == 10 + 15
    done = {"succeeded": Tally(runs=8, progress=8.0, started=800.0, ended=880.0, timed=8)}
    between = Counted(trial=done)
    assert search_progress.remaining_s(between, SIZE, 1, 900.0) == 4 * 15
    final = {
        "succeeded": Tally(runs=1, progress=1.0, started=900.0, ended=920.0, timed=1),
        "queued": Tally(runs=1),
    }  # of an arm, as the other has no trial with a value
    late = Counted(final=final, trial=done)
    assert search_progress.remaining_s(late, SIZE, 1, 920.0) == 20
    assert search_progress.share_done(late, SIZE) == pytest.approx(
        (8 + FINAL_TO_TRIAL) / (8 + 2 * FINAL_TO_TRIAL)
    )
    over = Counted(final={"succeeded": Tally(runs=4, progress=4.0)}, trial=done)
    assert search_progress.share_done(over, SIZE) == 1
    assert search_progress.remaining_s(over, SIZE, 1, 920.0) is None


def test_there_is_no_remaining_time_without_a_pace_and_after_a_cancel() -> None:
    assert search_progress.remaining_s(counted("queued"), SIZE, 1, 0.0) is None
    cancelled = Counted(
        trial={
            "succeeded": Tally(runs=1, progress=1.0, started=0.0, ended=10.0, timed=1),
            "cancelled": Tally(runs=7),
        },
        trials={"complete": 1, "cancelled": 7},
    )
    assert search_progress.remaining_s(cancelled, SIZE, 1, 20.0) is None
    assert search_progress.share_done(cancelled, SIZE) == pytest.approx(1 / (8 + 6))


@pytest.mark.both_databases
def test_the_list_finds_them_by_the_same_state(database: Database) -> None:
    """Over all searches of one arm with two trials, and over final runs of each state."""
    made = [
        store_tuned(database, {"pull": states}).id
        for states in product(("waiting", "running", "complete", "failed", "cancelled"), repeat=2)
    ]
    made.append(store_tuned(database, {"pull": ["failed"]}, tuning={"trials": 2}).id)
    states = ("queued", "running", "succeeded", "failed", "cancelled")
    made += [
        store_tuned(database, {"pull": ["complete"], "rank": ["failed"]}, {"pull": pair}).id
        for pair in product(states, repeat=2)
    ]
    with database.read() as session:
        rows = {row.id: row for row in search.find(session, _asked(), page=1, page_size=100)[0]}
        runs = count_runs(session, made)
        expected = {
            one: search_progress.state(runs[one], search_size(rows[one].spec)) for one in made
        }
        found = {
            row.id: state
            for state in states
            for row in search.find(session, _asked(state), page=1, page_size=100)[0]
        }
    assert found == expected
    assert set(found.values()) == set(states)


def _asked(state: str | None = None) -> ComparisonQuery:
    return ComparisonQuery(state=state)
