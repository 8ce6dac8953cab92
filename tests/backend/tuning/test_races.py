"""What people do while a step of a search is computed: the step is computed anew from it."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Comparison
from backend.errors import ConflictError
from backend.runs import repository as runs
from backend.tuning import engine as tuning
from backend.tuning import steps
from backend.tuning.engine import Engine
from tests.backend.helpers import claim
from tests.backend.tuning.searches import ARMS, drive, finish, runs_of, submit_tuned, trials_of

Do = Callable[[str], None]


@pytest.fixture
def made(quick_database: Database) -> Comparison:
    """A search of two trials, one of which diverged, before the step to the final runs."""
    made = submit_tuned(quick_database, ARMS[:1], trials=2)
    for value in (0.5, None):
        run = claim(quick_database)
        assert run is not None
        finish(quick_database, run, value)
    return made


def advance_while(
    database: Database, monkeypatch: pytest.MonkeyPatch, made: Comparison, do: Do
) -> None:
    """Take a step of all searches; do something once its step has been computed."""
    compute = steps.next_step
    left = [do]

    def computed(*args: Any, **options: Any) -> Any:
        step = compute(*args, **options)
        if left:
            left.pop()(made.id)
        return step

    with monkeypatch.context() as patched:
        patched.setattr(tuning, "next_step", computed)
        Engine(database, lambda: 2000.0).advance()
    assert not left


def test_more_trials_come_before_the_final_runs(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch, made: Comparison
) -> None:
    def more(own: str) -> None:
        tuning.add_trials(quick_database, own, 2, most=2000, now=1500.0)

    advance_while(quick_database, monkeypatch, made, more)
    assert runs_of(quick_database, made.id, "final") == []
    assert [one.state for one in trials_of(quick_database, made.id)] == [
        *("complete", "failed", "waiting", "waiting")
    ]
    drive(quick_database)
    assert len(runs_of(quick_database, made.id, "final")) == 2
    with pytest.raises(ConflictError, match="the final runs of this comparison exist"):
        more(made.id)


def test_a_run_that_is_tried_again_is_waited_for(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch, made: Comparison
) -> None:
    def retry(own: str) -> None:
        with quick_database.write() as write:
            runs.retry_all(write, own)

    advance_while(quick_database, monkeypatch, made, retry)
    assert runs_of(quick_database, made.id, "final") == []
    assert [one.state for one in trials_of(quick_database, made.id)] == ["complete", "waiting"]


def test_a_cancel_is_followed_by_nothing(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch, made: Comparison
) -> None:
    def cancel(own: str) -> None:
        with quick_database.write() as write:
            runs.cancel_all(write, own, now=1500.0)

    advance_while(quick_database, monkeypatch, made, cancel)
    assert runs_of(quick_database, made.id, "final") == []
    assert {one.state for one in trials_of(quick_database, made.id)} == {"cancelled"}


def test_seeds_that_are_added_are_among_the_final_runs(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch, made: Comparison
) -> None:
    def add(own: str) -> None:
        with quick_database.write() as write:
            comparisons.add_seeds(write, own, [7], now=1500.0)

    advance_while(quick_database, monkeypatch, made, add)
    assert [run.seed for run in runs_of(quick_database, made.id, "final")] == [0, 1, 7]


def test_a_deletion_leaves_nothing(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch, made: Comparison
) -> None:
    def remove(own: str) -> None:
        with quick_database.write() as write:
            comparisons.remove(write, own)

    advance_while(quick_database, monkeypatch, made, remove)
    assert trials_of(quick_database, made.id) == []
    assert runs_of(quick_database, made.id) == []
