"""The steps of a search, each in one write: what follows from what, whatever happens between."""

from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest
from sqlalchemy import event

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Run
from backend.runs import queue
from backend.runs import repository as runs
from backend.tuning import engine as tuning
from backend.tuning.engine import Engine
from contract.comparison.problems import SpecError
from contract.comparison.tuning import Value
from tests.backend.helpers import claim, submit
from tests.backend.tuning.searches import (
    ARMS,
    SPACE,
    drive,
    finish,
    margin_of_a_half,
    runs_of,
    settings_of,
    submit_tuned,
    told,
    trials_of,
)

SMALL_IS_BETTER = "geometry.distance_overlap"
FOLDED: dict[str, Any] = {"folds": 2, "trial_seeds": [1000, 1001]}


def advance(database: Database) -> None:
    Engine(database, lambda: 2000.0).advance()


def test_random_trials_are_all_queued_at_once_trial_by_trial(database: Database) -> None:
    made = submit_tuned(database, trials=3, **FOLDED)
    trials = trials_of(database, made.id)
    assert [(one.number, one.arm) for one in trials] == [
        (number, arm) for number in range(3) for arm in ("pull", "rank")
    ]
    assert [one.params for one in trials[:2]] == [{}, {}]
    assert all(one.params.keys() == SPACE.keys() for one in trials[2:])
    place = {one.id: one.number for one in trials}
    queued = runs_of(database, made.id)
    assert [(place[str(run.trial_id)], run.seed, run.fold, run.arm) for run in queued] == [
        (number, seed, fold, arm)
        for number in range(3)
        for seed in (1000, 1001)
        for fold in (0, 1)
        for arm in ("pull", "rank")
    ]
    assert [run.position for run in queued] == list(range(24))
    assert {(run.role, run.state) for run in queued} == {("trial", "queued")}


def test_the_value_is_the_mean_of_the_best_epochs_and_finals_take_the_best(
    database: Database,
) -> None:
    made = submit_tuned(database, **FOLDED)
    measured: dict[str, list[float]] = {}
    for _ in range(32):
        run = claim(database)
        assert run is not None
        value = margin_of_a_half(run, settings_of(database, run))
        assert value is not None
        measured.setdefault(str(run.trial_id), []).append(value)
        finish(database, run, value, best_epoch=1 + len(measured[str(run.trial_id)]) % 3)
        assert runs_of(database, made.id, "final") == []
        advance(database)
    trials = trials_of(database, made.id)
    for trial in trials:
        assert trial.state == "complete"
        assert trial.value == pytest.approx(fmean(measured[trial.id]))
        assert trial.epochs == 2  # median of 2, 3, 1, 2
        assert trial.ended_at == 2000.0
    finals = runs_of(database, made.id, "final")
    best = {
        arm: max((one for one in trials if one.arm == arm), key=lambda one: one.value or 0)
        for arm in ("pull", "rank")
    }
    assert [(run.seed, run.arm, run.trial_id) for run in finals] == [
        (seed, arm, best[arm].id) for seed in (0, 1) for arm in ("pull", "rank")
    ]
    assert [run.position for run in finals] == list(range(32, 36))


def test_steps_are_taken_once_however_often_they_are_tried(database: Database) -> None:
    made = submit_tuned(database)
    drive(database)
    before = told(database, made.id)
    for _ in range(3):
        advance(database)
    assert told(database, made.id) == before
    assert len(runs_of(database, made.id, "final")) == 4


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_outcome_is_the_same_with_any_number_of_workers(
    quick_database: Database, sampler: str
) -> None:
    database = quick_database
    outcomes = []
    for workers, seed in ((1, 0), (4, 1)):
        made = submit_tuned(database, trials=8, sampler=sampler, round=4, folds=2)
        drive(database, workers=workers, seed=seed)
        outcomes.append(told(database, made.id))
    assert outcomes[0] == outcomes[1]
    assert len([one for one in outcomes[0] if one[0] == "final"]) == 4


def test_tpe_waits_for_the_round_before(quick_database: Database) -> None:
    database = quick_database
    made = submit_tuned(database, trials=10, sampler="tpe", round=4)
    for expected in (4, 8, 10):
        trials = trials_of(database, made.id)
        assert [one.number for one in trials if one.arm == "rank"] == list(range(expected))
        open_runs = 2 * (expected - (expected - 4 if expected < 10 else 8))
        for left in reversed(range(open_runs)):
            run = claim(database)
            assert run is not None
            finish(database, run, margin_of_a_half(run, settings_of(database, run)))
            if left:
                advance(database)
                assert len(trials_of(database, made.id)) == 2 * expected
        advance(database)
    assert len(runs_of(database, made.id, "final")) == 4


class _StoppedError(BaseException):
    """Stands for the end of the process."""


def test_an_api_that_is_stopped_at_any_write_goes_on_as_if_nothing_was(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = quick_database
    settings: dict[str, Any] = {"trials": 8, "sampler": "tpe", "round": 4}
    undisturbed = submit_tuned(database, **settings)
    drive(database)

    write = tuning._write

    def stopped(*args: Any) -> None:
        write(*args)
        raise _StoppedError  # before the commit

    made = submit_tuned(database, **settings)
    steps = 0
    while run := claim(database):
        finish(database, run, margin_of_a_half(run, settings_of(database, run)))
        if run.role == "trial":
            monkeypatch.setattr(tuning, "_write", stopped)
            before = told(database, made.id)
            with pytest.raises(_StoppedError):
                advance(database)
            assert told(database, made.id) == before
            monkeypatch.undo()
            steps += 1
        advance(database)  # each time as a process that has just started
    assert steps == 16
    assert told(database, made.id) == told(database, undisturbed.id)


def test_two_identical_arms_get_identical_trials_and_tie(quick_database: Database) -> None:
    database = quick_database
    twins = [{**ARMS[1], "name": name} for name in ("one", "two")]
    for sampler in ("random", "tpe"):
        made = submit_tuned(database, twins, trials=12, sampler=sampler, round=4)
        drive(database, workers=3)
        outcome = told(database, made.id)
        ones, twos = ([row[1:] for row in outcome if row[0] == name] for name in ("one", "two"))
        assert ones == twos
        finals = [row[2:] for row in outcome if row[0] == "final"]
        assert finals[::2] == finals[1::2]


def test_a_diverging_setting_costs_each_arm_the_same_budget(quick_database: Database) -> None:
    database = quick_database

    def measured(run: Run, params: dict[str, Value]) -> float | None:
        large = float(params["training.optimizer.lr"]) > 2e-3
        return None if large and run.fold == 1 else margin_of_a_half(run, params)

    made = submit_tuned(database, trials=12, folds=2)
    drive(database, measured, workers=3)
    by_arm = {
        arm: [one.state for one in trials_of(database, made.id) if one.arm == arm]
        for arm in ("pull", "rank")
    }
    assert by_arm["pull"] == by_arm["rank"]  # both drew the same learning rates
    assert len(by_arm["pull"]) == 12
    assert 1 <= by_arm["pull"].count("failed") <= 8
    assert len(runs_of(database, made.id, "trial")) == 48


def test_an_arm_whose_trials_all_fail_leaves_the_finals_of_the_others(
    quick_database: Database,
) -> None:
    database = quick_database

    def measured(run: Run, params: dict[str, Value]) -> float | None:
        return None if run.arm == "pull" else margin_of_a_half(run, params)

    for sampler in ("random", "tpe"):
        made = submit_tuned(database, trials=9, sampler=sampler, round=3)
        drive(database, measured)
        assert [run.arm for run in runs_of(database, made.id, "final")] == ["rank", "rank"]
        failed = [one.state for one in trials_of(database, made.id) if one.arm == "pull"]
        assert failed == ["failed"] * 9


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_planted_optimum_is_found(quick_database: Database, sampler: str) -> None:
    database = quick_database
    made = submit_tuned(database, trials=24, sampler=sampler, seeds=[0])
    drive(database, workers=4)
    for run in runs_of(database, made.id, "final")[:2]:
        assert float(settings_of(database, run)["loss.margin"]) == pytest.approx(0.5, abs=0.1)


def test_a_metric_whose_small_values_are_better_is_made_small(quick_database: Database) -> None:
    database = quick_database
    made = submit_tuned(database, ARMS[:1], trials=6, seeds=[0], objective=SMALL_IS_BETTER)
    while run := claim(database):
        finish(
            database, run, margin_of_a_half(run, settings_of(database, run)), key=SMALL_IS_BETTER
        )
        advance(database)
    trials = trials_of(database, made.id)
    values = [one.value for one in trials if one.value is not None]
    assert len(values) == 6
    assert max(values) < 2  # not that of the untrained network
    [final] = runs_of(database, made.id, "final")
    assert next(one.value for one in trials if one.id == final.trial_id) == min(values)


def test_a_run_without_a_value_of_the_objective_fails_its_trial(database: Database) -> None:
    made = submit_tuned(database, ARMS[:1], trials=2, objective="clustering.ami")
    drive(database)
    assert [one.state for one in trials_of(database, made.id)] == ["failed", "failed"]
    assert runs_of(database, made.id, "final") == []


def test_what_follows_queues_where_the_comparison_stands(database: Database) -> None:
    other = submit(database)
    made = submit_tuned(database, ARMS[:1], trials=2, seeds=[0])
    with database.write() as write:
        waiting = [runs.get(write.session, run.id) for run in runs_of(database, made.id)]
        queue.move_to_front(write, waiting)
    for _ in waiting:
        run = claim(database)
        assert run is not None
        finish(database, run, 0.5)
        advance(database)
    [final] = runs_of(database, made.id, "final")
    assert (final.priority, final.created_at) == (1, made.created_at)
    claimed = [claim(database), claim(database)]
    assert [run.comparison_id for run in claimed if run] == [made.id, other.id]


def test_a_search_that_cannot_go_on_holds_up_no_other(
    quick_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database = quick_database
    broken, sound = (submit_tuned(database, ARMS[:1], trials=1) for _ in range(2))
    with database.write() as write:
        found = comparisons.get(write.session, broken.id)
        found.spec = {**found.spec, "encoder": {"kind": "of another version"}}
    for _ in range(2):
        run = claim(database)
        assert run is not None
        finish(database, run, 0.5)
    steps = Engine(database, lambda: 2000.0)
    for _ in range(3):
        steps.advance()
    assert len(runs_of(database, sound.id, "final")) == 2
    assert [one.state for one in trials_of(database, broken.id)] == ["waiting"]
    assert caplog.text.count("cannot go on") == 1
    assert broken.id in caplog.text


def test_a_step_that_failed_is_tried_again_after_growing_pauses(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = quick_database
    made = submit_tuned(database, ARMS[:1], trials=1)
    run = claim(database)
    assert run is not None
    finish(database, run, 0.5)
    now, tries = 2000.0, list[float]()

    def fail(*_: Any, **__: Any) -> None:
        tries.append(now)
        raise MemoryError("no room")

    steps = Engine(database, lambda: now)
    with monkeypatch.context() as broken:
        broken.setattr(tuning, "next_step", fail)
        for _ in range(4000):
            steps.advance()
            now += 1
    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses[:9] == [2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert set(pauses[9:]) == {600}
    assert "MemoryError: no room" in str(steps.problem(made.id))
    now += 600
    steps.advance()
    assert steps.problem(made.id) is None
    assert len(runs_of(database, made.id, "final")) == 2


def test_a_failure_of_a_search_that_is_gone_is_forgotten(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = quick_database
    made = submit_tuned(database, ARMS[:1], trials=1)
    run = claim(database)
    assert run is not None
    finish(database, run, 0.5)
    steps = Engine(database, lambda: 2000.0)
    monkeypatch.setattr(tuning, "next_step", lambda *_, **__: 1 / 0)
    steps.advance()
    assert steps.problem(made.id) is not None
    with database.write() as write:
        comparisons.remove(write, made.id)
    steps.advance()
    assert steps.problem(made.id) is None


def test_a_database_without_a_search_costs_one_query(quick_database: Database) -> None:
    database = quick_database
    submit(database)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(str(args[2])))
    advance(database)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1
    assert not any(one.startswith(("INSERT", "UPDATE")) for one in asked)


def test_a_space_in_which_nothing_fits_together_is_refused(database: Database) -> None:
    impossible = {"training.sampler.m": {"choices": [7]}}
    training = {"sampler": {"kind": "m_per_class", "m": 8}}
    arm = {**ARMS[1], "training": training, "search": impossible}
    with pytest.raises(SpecError) as raised:
        submit_tuned(database, [ARMS[0], arm])
    assert [one.path for one in raised.value.problems] == ["arms[1].search"]
    with database.read() as session:
        assert runs.count_queued(session) == 0


def test_more_trials_continue_the_same_search(quick_database: Database) -> None:
    database = quick_database
    for sampler in ("random", "tpe"):
        whole = submit_tuned(database, trials=8, sampler=sampler, round=4)
        drive(database)
        parts = submit_tuned(database, trials=4, sampler=sampler, round=4)
        run = claim(database)
        assert run is not None
        finish(database, run, margin_of_a_half(run, settings_of(database, run)))
        tuning.add_trials(database, parts.id, 4, most=2000, now=1500.0)
        drive(database)
        params = [
            [(one.arm, one.number, one.params, one.value) for one in trials_of(database, of.id)]
            for of in (whole, parts)
        ]
        assert params[0] == params[1]
        with database.read() as session:
            assert comparisons.get(session, parts.id).spec["tuning"]["trials"] == 8


def test_seeds_that_are_added_during_the_search_come_with_the_finals(database: Database) -> None:
    made = submit_tuned(database, trials=2)
    with database.write() as write:
        comparisons.add_seeds(write, made.id, [7], now=1500.0)
    assert runs_of(database, made.id, "final") == []
    drive(database)
    finals = runs_of(database, made.id, "final")
    assert [run.seed for run in finals] == [0, 0, 1, 1, 7, 7]
    with database.write() as write:
        comparisons.add_seeds(write, made.id, [8, 9], now=1500.0)
    after = runs_of(database, made.id, "final")
    assert [run.seed for run in after[6:]] == [8, 8, 9, 9]
    assert {(run.arm, run.trial_id) for run in after} == {(r.arm, r.trial_id) for r in finals}
    assert {run.created_at for run in after[6:]} == {1500.0}
    assert [run.position for run in after] == list(range(4, 14))


def test_seeds_of_trials_cannot_be_final_ones(database: Database) -> None:
    made = submit_tuned(database, trials=2)
    with database.write() as write, pytest.raises(SpecError) as raised:
        comparisons.add_seeds(write, made.id, [5, 1000], now=1500.0)
    assert [one.path for one in raised.value.problems] == ["seeds[1]"]
