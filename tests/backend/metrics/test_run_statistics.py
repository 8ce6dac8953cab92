"""What a run's curves add up to, on curves whose answer can be read off."""

import pytest
from sqlalchemy import event

from backend.db.database import Database
from backend.db.models import Run
from backend.metrics import results
from backend.metrics import run_statistics as traits
from backend.metrics.run_statistics import Trait
from backend.runs import repository as runs
from contract.metrics import METRICS
from tests.backend.helpers import Attempt, claim, submit
from tests.backend.played import STEPS_PER_EPOCH, Curves, per_epoch, play, store

LOSSES = (0.8, 0.5, 0.3, 0.2, 0.15, 0.12, 0.09, 0.08, 0.08, 0.08)
CURVES: Curves = {
    "dynamics.loss": per_epoch(1.0, *LOSSES),
    "dynamics.active_ratio": per_epoch(0.99, 0.7, *[0.1] * 9),
    "dynamics.gradient_norm": per_epoch(None, 4.0, *[2.0] * 8, 1.0),
    # Absent where nothing was active: half of epoch 1 and all of the others but the last.
    "dynamics.gradient_norm.per_active": {
        **{step: 0.2 if step <= 5 else None for step in range(1, 91)},
        **dict.fromkeys(range(91, 101), 0.5),
    },
}


def of(database: Database, run: Run) -> dict[str, Trait]:
    with database.read() as session:
        return dict(traits.traits(session, [runs.get(session, run.id)]).get(run.id, {}))


def one(database: Database, curves: Curves, *, state: str = "succeeded", epochs: int = 10) -> Run:
    submit(database)
    run = claim(database)
    assert run is not None
    play(database, run, curves, state=state, epochs=epochs)
    return run


def test_every_trait_by_hand(database: Database) -> None:
    found = of(database, one(database, CURVES))
    assert set(found) == {key for key, metric in METRICS.items() if metric.summary_only}
    assert found["dynamics.loss_decay_epochs"] == Trait(7.0)
    assert found["dynamics.half_life"] == Trait(2.0)
    values = {key: trait.value for key, trait in found.items()}
    assert values["dynamics.auc"] == pytest.approx(sum(LOSSES) / 10)
    assert values["dynamics.active_ratio.early"] == pytest.approx(0.7)  # without step 0
    assert values["dynamics.gradient_norm.per_active.mean"] == pytest.approx(
        (5 * 0.2 + 10 * 0.5) / 15
    )
    assert values["dynamics.gradient_norm.late_share"] == pytest.approx(1.0 / 4.0)


def test_the_epochs_of_steps(database: Database) -> None:
    run = one(database, {"k": {step: float(step) for step in range(31)}}, epochs=3)
    with database.read() as session:
        found = results.epoch_sums(session, runs=[run.id], keys=["k"])
    by_hand = {0: [0.0]} | {
        epoch: [float(s) for s in range(STEPS_PER_EPOCH * (epoch - 1) + 1, 10 * epoch + 1)]
        for epoch in (1, 2, 3)
    }
    assert {(f.epoch, f.total, f.values) for f in found} == {
        (epoch, sum(steps), len(steps)) for epoch, steps in by_hand.items()
    }


def test_censored_where_not_reached(database: Database) -> None:
    found = of(database, one(database, {"dynamics.loss": per_epoch(1.0, 0.9, 0.6, 0.45)}, epochs=3))
    assert found["dynamics.loss_decay_epochs"] == Trait(3.0, censored=True)
    assert found["dynamics.half_life"] == Trait(3.0)
    assert set(found) == {
        "dynamics.loss_decay_epochs",
        "dynamics.half_life",
        "dynamics.auc",
    }


def test_late_is_a_tenth_of_the_epochs_and_at_least_one(database: Database) -> None:
    norms = per_epoch(None, *[float(epoch) for epoch in range(1, 31)])
    run = one(database, {"dynamics.gradient_norm": norms}, epochs=30)
    assert of(database, run)["dynamics.gradient_norm.late_share"].value == pytest.approx(29.0)
    norms = per_epoch(None, 2.0, 3.0, 5.0)
    run = one(database, {"dynamics.gradient_norm": norms}, epochs=3)
    assert of(database, run)["dynamics.gradient_norm.late_share"].value == pytest.approx(2.5)
    run = one(database, {"dynamics.gradient_norm": per_epoch(None, 0.0, 3.0, swing=0)}, epochs=2)
    assert of(database, run) == {}  # no share of nothing


def test_without_a_first_pass_there_is_no_decay(database: Database) -> None:
    run = one(database, {"dynamics.loss": per_epoch(None, *LOSSES)})
    assert of(database, run) == {}
    run = one(database, {"dynamics.loss": per_epoch(0.0, *LOSSES)})
    assert of(database, run) == {}
    run = one(database, {"dynamics.loss": {0: None, **per_epoch(None, *LOSSES)}})
    assert of(database, run) == {}


@pytest.mark.parametrize("state", ["running", "failed", "cancelled"])
def test_only_runs_that_have_succeeded_have_traits(database: Database, state: str) -> None:
    assert of(database, one(database, CURVES, state=state)) == {}


def test_worked_out_once_a_run_and_again_for_another_attempt(database: Database) -> None:
    run = one(database, CURVES, state="failed")
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    def over_points() -> int:
        return sum("FROM series" in sql and "GROUP BY" in sql for sql in statements)

    assert of(database, run) == {}
    with database.write() as write:
        runs.retry(write, runs.get(write.session, run.id))
    again = claim(database)
    assert again is not None
    assert (again.id, again.attempt) == (run.id, 2)
    play(database, again, {**CURVES, "dynamics.loss": per_epoch(1.0, *[0.05] * 10)})
    assert over_points() == 0
    first = of(database, run)
    assert over_points() == 1
    assert first["dynamics.loss_decay_epochs"] == Trait(1.0)  # not the first attempt's 7
    assert of(database, run) == first
    assert over_points() == 1


def test_memory_is_bounded_and_forgets_what_was_asked_for_longest_ago() -> None:
    memory = traits._Memory(2)
    made = [
        Run(id=name, comparison_id="c", position=0, arm="a", seed=0, created_at=0.0)
        for name in "xyz"
    ]
    memory.keep(made[0], {"k": Trait(1.0)})
    memory.keep(made[1], {})
    assert memory.get(made[0]) == {"k": Trait(1.0)}
    memory.keep(made[2], {})
    assert memory.get(made[1]) is None
    assert memory.get(made[0]) is not None
    assert memory.get(made[2]) == {}


def test_a_run_that_never_started_has_none(database: Database) -> None:
    submit(database)
    run = claim(database)
    assert run is not None
    store(database, Attempt(run.id).ended())
    assert of(database, run) == {}
