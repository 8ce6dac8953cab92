"""How long runs take, from the runs of the same comparison and of earlier ones like it."""

from typing import Any

import pytest

from backend.db.database import Database
from backend.db.models import Comparison, Run
from backend.runs import repository as runs
from backend.runs.earlier import arm_setups
from backend.runs.lengths import ANY_ARM, Length, Lengths, Taken, lengths_like, lengths_of
from contract.comparison.spec import parse_spec
from tests.backend.helpers import submit
from tests.support.specs import small
from tests.support.tuned import store_tuned

TWO = [
    {"name": "pull", "loss": {"kind": "contrastive"}},
    {"name": "rank", "loss": {"kind": "triplet"}, "training": {"epochs": 16}},
]


def change(database: Database, comparison: Comparison, arm: str, seed: int, **values: Any) -> None:
    """Set columns of a run."""
    with database.write() as write:
        for run in runs.of_comparison(write.session, comparison.id):
            if (run.arm, run.seed) == (arm, seed):
                for name, value in values.items():
                    setattr(run, name, value)
                write.session.add(run)


def finish(
    database: Database, comparison: Comparison, arm: str, seed: int, seconds: float, **values: Any
) -> None:
    """Let a run succeed that took so long."""
    steps = {"step": 128, "total_steps": 128, "steps_per_epoch": 16}
    times = {"started_at": 1000.0, "ended_at": 1000.0 + seconds, "device": "cpu"}
    change(database, comparison, arm, seed, state="succeeded", **{**steps, **times, **values})


def lengths(database: Database, comparison: Comparison, now: float = 2000.0) -> Lengths:
    with database.read() as session:
        return lengths_of(session, comparison.id, now)


@pytest.mark.both_databases
def test_runs_of_the_same_arm_come_first_then_those_of_other_arms(database: Database) -> None:
    own = submit(database, arms=TWO, seeds=[0, 1, 2])
    assert lengths(database, own).of("pull", "final") is None
    finish(database, own, "pull", 0, 20.0)
    finish(database, own, "pull", 1, 30.0)
    found = lengths(database, own)
    assert found.of("pull", "final") == Length(25.0, "siblings")
    assert found.of("rank", "final") == Length(50.0, "siblings"), "with twice the epochs"
    finish(database, own, "rank", 0, 80.0, total_steps=256)
    assert lengths(database, own).of("rank", "final") == Length(80.0, "siblings")
    assert lengths(database, own).means["final"] == pytest.approx(130 / 3)


def test_shares_and_checkpoints_count(database: Database) -> None:
    own = submit(database, seeds=[0, 1])
    finish(database, own, "triplet", 0, 40.0, shared=4)
    assert lengths(database, own).seconds("triplet", "final") == 10.0
    finish(
        database, own, "triplet", 0, 40.0, shared=None, resumed_at=96
    )  # the last quarter of its steps
    assert lengths(database, own).seconds("triplet", "final") == 160.0


def test_runs_under_way_tell_where_none_has_ended(database: Database) -> None:
    own = submit(database, arms=TWO, seeds=[0, 1])
    under_way = {"state": "running", "total_steps": 128, "steps_per_epoch": 16}
    change(database, own, "pull", 0, step=2, started_at=1000.0, **under_way)
    assert lengths(database, own, 1030.0).of("pull", "final") is None, "its first steps"
    change(database, own, "pull", 0, step=64)
    found = lengths(database, own, 1030.0)
    assert found.of("pull", "final") == Length(60.0, "pace")
    assert found.of("rank", "final") == Length(120.0, "pace")
    with database.read() as session:
        [run] = [run for run in runs.of_comparison(session, own.id) if run.state == "running"]
        assert found.remaining_s(run, 1030.0) == pytest.approx(30.0), "its own pace, once"


@pytest.mark.both_databases
def test_earlier_comparisons_like_it_tell_where_it_has_no_runs(database: Database) -> None:
    before = submit(database, arms=TWO)
    finish(database, before, "pull", 0, 20.0)
    finish(database, before, "rank", 0, 80.0, total_steps=256)
    later = submit(
        database,
        name="later",
        data={"kind": "digits", "seed": 5},
        arms=[{"name": "mine", "loss": {"kind": "triplet", "margin": 0.3}}],
        training={"epochs": 4, "batch_size": 64, "optimizer": {"kind": "adam", "lr": 0.1}},
    )
    found = lengths(database, later)
    assert found.of("mine", "final") == Length(20.0, "earlier"), "as the triplet arm, a quarter"
    assert found.seconds("mine", "trial") == pytest.approx(20.0 / 1.5)
    other = submit(database, training={"epochs": 4, "batch_size": 32})
    assert lengths(database, other).of("triplet", "final") is None, "other batches"
    with database.read() as session:
        spec = parse_spec(small(arms=TWO)).model_dump(mode="json")
        assert lengths_like(session, spec).seconds("pull", "final") == 20.0
        assert lengths_like(session, spec, ["cpu"]).seconds("pull", "final") == 20.0
        assert lengths_like(session, spec, ["cuda"]).seconds("pull", "final") is None


def test_trials_and_final_runs_have_their_own_lengths(database: Database) -> None:
    made = store_tuned(
        database, {"pull": ["complete", "waiting"]}, {"pull": ["queued"] * 2}, tuning={"folds": 1}
    )
    with database.read() as session:
        found = lengths_of(session, made.id, 2000.0)
    trial = found.seconds("pull", "trial")
    assert trial == 10.0
    assert found.seconds("pull", "final") == 15.0
    assert found.seconds(ANY_ARM, "final") == 15.0


def test_a_spec_of_another_form_is_like_none() -> None:
    assert arm_setups({"arms": [{"name": "a"}]}) == []
    assert arm_setups({}) == []


def test_a_run_that_is_not_running_has_nothing_left() -> None:
    known = Lengths({"a": 8}, {"siblings": {("a", "final"): Taken(1, 10.0, 8)}})
    queued = Run(id="r", comparison_id="c", position=0, arm="a", seed=0, created_at=0.0)
    assert known.remaining_s(queued, 5.0) is None
