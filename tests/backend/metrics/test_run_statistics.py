"""Statistics of runs, on curves whose statistics can be computed by hand."""

import pytest

from backend.db.database import Database
from backend.db.models import Run
from backend.metrics import results
from backend.metrics.run_figures import figures_of
from backend.metrics.run_statistics import (
    DECAYED_SHARE,
    EPOCHS_TO_COMMON,
    HALVED_SHARE,
    Decay,
    Statistic,
    epochs_to_common,
    loss_auc,
    loss_decay,
)
from backend.runs import repository as runs
from contract.metrics import METRICS
from tests.backend.helpers import Attempt, claim, submit
from tests.backend.scripted_runs import STEPS_PER_EPOCH, Curves, per_epoch, run_script, store_events

LOSSES = (0.8, 0.5, 0.3, 0.2, 0.15, 0.12, 0.09, 0.08, 0.08, 0.08)
CURVES: Curves = {
    "dynamics.loss": per_epoch(1.0, *LOSSES),
    "dynamics.active_ratio": per_epoch(0.99, 0.7, *[0.1] * 9),
    "dynamics.active_ratio.positive": per_epoch(None, 1.0, *[0.9] * 9),
    "dynamics.active_ratio.negative": per_epoch(None, 0.6, *[0.05] * 9),
    "dynamics.active_ratio.pushing_anchors": per_epoch(None, 0.8, *[0.3] * 9),
    "dynamics.pull_share": per_epoch(None, *[0.2] * 5, *[0.4] * 5),
    "dynamics.update_norm": {step: 0.3 if step <= 50 else 0.1 for step in range(10, 101, 10)},
    "dynamics.gradient_norm": per_epoch(None, 4.0, *[2.0] * 8, 1.0),
    # Absent where nothing was active: half of epoch 1 and all of the others but the last.
    "dynamics.gradient_norm.per_active": {
        **{step: 0.2 if step <= 5 else None for step in range(1, 91)},
        **dict.fromkeys(range(91, 101), 0.5),
    },
}


def statistics_of(database: Database, run: Run) -> dict[str, Statistic]:
    with database.read() as session:
        figures = figures_of(session, [runs.get(session, run.id)]).get(run.id)
        return dict(figures.statistics) if figures else {}


def play_one(
    database: Database, curves: Curves, *, state: str = "succeeded", epochs: int = 10
) -> Run:
    submit(database)
    run = claim(database)
    assert run is not None
    run_script(database, run, curves, state=state, epochs=epochs)
    return run


def test_every_statistic_by_hand(database: Database) -> None:
    found = statistics_of(database, play_one(database, CURVES))
    of_one = {key for key, metric in METRICS.items() if metric.summary_only} - {EPOCHS_TO_COMMON}
    assert set(found) == of_one
    assert found["dynamics.loss_decay_epochs"] == Statistic(7.0)
    assert found["dynamics.half_life"] == Statistic(2.0)
    values = {key: one.value for key, one in found.items()}
    assert values["dynamics.auc"] == pytest.approx(sum(LOSSES) / 10)
    assert values["dynamics.active_ratio.early"] == pytest.approx(0.7)  # without step 0
    assert values["dynamics.gradient_norm.per_active.mean"] == pytest.approx(
        (5 * 0.2 + 10 * 0.5) / 15
    )
    assert values["dynamics.gradient_norm.late_share"] == pytest.approx(1.0 / 4.0)
    assert values["dynamics.active_ratio.pushing.early"] == pytest.approx(0.6)
    assert values["dynamics.active_ratio.pushing_anchors.early"] == pytest.approx(0.8)
    assert values["dynamics.update_norm.mean"] == pytest.approx(0.2)
    assert values["dynamics.update_norm.late_share"] == pytest.approx(0.5 / 2.0)
    assert values["dynamics.pull_share.mean"] == pytest.approx(0.3)


def test_the_tuples_that_push_are_what_the_loss_has(database: Database) -> None:
    for part, mean in (("triplet", 0.5), ("softmax", 0.9)):
        curves = {
            "dynamics.active_ratio.positive": per_epoch(None, 0.1, 0.1),
            f"dynamics.active_ratio.{part}": per_epoch(None, mean, 0.2),
        }
        found = statistics_of(database, play_one(database, curves, epochs=2))
        assert {key: one.value for key, one in found.items()} == {
            "dynamics.active_ratio.pushing.early": pytest.approx(mean)
        }


def test_sums_by_epoch(database: Database) -> None:
    run = play_one(database, {"k": {step: float(step) for step in range(31)}}, epochs=3)
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
    found = statistics_of(
        database, play_one(database, {"dynamics.loss": per_epoch(1.0, 0.9, 0.6, 0.45)}, epochs=3)
    )
    assert found["dynamics.loss_decay_epochs"] == Statistic(3.0, censored=True)
    assert found["dynamics.half_life"] == Statistic(3.0)
    assert set(found) == {
        "dynamics.loss_decay_epochs",
        "dynamics.half_life",
        "dynamics.auc",
    }


def test_the_late_epochs_are_a_tenth_and_at_least_one(database: Database) -> None:
    norms = per_epoch(None, *[float(epoch) for epoch in range(1, 31)])
    run = play_one(database, {"dynamics.gradient_norm": norms}, epochs=30)
    assert statistics_of(database, run)["dynamics.gradient_norm.late_share"].value == pytest.approx(
        29.0
    )
    norms = per_epoch(None, 2.0, 3.0, 5.0)
    run = play_one(database, {"dynamics.gradient_norm": norms}, epochs=3)
    assert statistics_of(database, run)["dynamics.gradient_norm.late_share"].value == pytest.approx(
        2.5
    )
    run = play_one(
        database, {"dynamics.gradient_norm": per_epoch(None, 0.0, 3.0, swing=0)}, epochs=2
    )
    assert statistics_of(database, run) == {}  # no share of nothing


def test_without_a_loss_of_the_untrained_network_there_is_no_decay(database: Database) -> None:
    run = play_one(database, {"dynamics.loss": per_epoch(None, *LOSSES)})
    assert statistics_of(database, run) == {}
    run = play_one(database, {"dynamics.loss": per_epoch(0.0, *LOSSES)})
    assert statistics_of(database, run) == {}
    run = play_one(database, {"dynamics.loss": {0: None, **per_epoch(None, *LOSSES)}})
    assert statistics_of(database, run) == {}


@pytest.mark.parametrize("state", ["running", "failed", "cancelled"])
def test_only_runs_that_have_succeeded_have_statistics(database: Database, state: str) -> None:
    assert statistics_of(database, play_one(database, CURVES, state=state)) == {}


def test_a_run_that_never_started_has_no_statistics(database: Database) -> None:
    submit(database)
    run = claim(database)
    assert run is not None
    store_events(database, Attempt(run.id).ended())
    assert statistics_of(database, run) == {}


def test_decay_is_the_first_epoch_that_is_low_enough() -> None:
    means = [0.8, 0.5, 0.2, 0.1, 0.05]
    assert loss_decay(1.0, means, HALVED_SHARE) == Decay(2)  # at the threshold is low enough
    assert loss_decay(1.0, means, DECAYED_SHARE) == Decay(4)
    assert loss_decay(10.0, means, DECAYED_SHARE) == Decay(1)
    assert loss_auc(1.0, means) == pytest.approx(0.33)


def test_a_later_rise_does_not_change_the_decay() -> None:
    assert loss_decay(2.0, [1.5, 0.9, 1.7], HALVED_SHARE) == Decay(2)


def test_a_decay_not_reached_is_censored_at_the_epochs_trained() -> None:
    assert loss_decay(1.0, [0.9, 0.6, 0.51], HALVED_SHARE) == Decay(3, censored=True)
    assert loss_decay(1.0, [1.4], DECAYED_SHARE) == Decay(1, censored=True)
    assert loss_auc(1.0, [1.4, 1.6]) == pytest.approx(1.5)


def test_an_epoch_without_a_mean_is_skipped() -> None:
    assert loss_decay(1.0, [None, 0.7, None, 0.4], HALVED_SHARE) == Decay(4)
    assert loss_decay(1.0, [0.7, None], HALVED_SHARE) == Decay(2, censored=True)
    assert loss_auc(2.0, [None, 1.0, 3.0]) == 1.0


@pytest.mark.parametrize(
    ("initial", "means"),
    [(None, [0.5]), (0.0, [0.5]), (-1.0, [0.5]), (1.0, []), (1.0, [None, None])],
)
def test_decay_that_is_not_defined(initial: float | None, means: list[float | None]) -> None:
    assert loss_decay(initial, means, DECAYED_SHARE) is None
    assert loss_auc(initial, means) is None


def test_epochs_to_the_level_that_both_reach() -> None:
    slow = [(0, 0.2), (2, 0.4), (4, 0.75), (6, 0.8)]  # 0.95 x 0.8 = 0.76
    fast = [(0, 0.2), (2, 0.77), (4, 0.9), (6, 0.7)]
    assert epochs_to_common(slow, fast) == (6, 2)
    assert epochs_to_common(fast, slow) == (2, 6)
    assert epochs_to_common(slow, slow) == (6, 6)


def test_epochs_to_common_are_never_censored() -> None:
    worse = [(0, 0.9), (1, 0.5), (2, 0.4)]  # both start above all that they reach later
    assert epochs_to_common(worse, [(0, 0.9), (1, 0.6)]) == (0, 0)
    assert epochs_to_common([(0, 0.1), (3, 0.0)], [(0, 0.1), (3, 0.5)]) == (0, 0)
    assert epochs_to_common([(0, 0.0), (5, 0.4)], [(0, 0.0), (5, 0.4), (9, 0.2)]) == (5, 5)


@pytest.mark.parametrize("scores", [[], [(0, 0.5)]])
def test_without_a_trained_epoch_there_is_no_level(scores: list[tuple[int, float]]) -> None:
    assert epochs_to_common(scores, [(0, 0.1), (1, 0.5)]) is None
    assert epochs_to_common([(0, 0.1), (1, 0.5)], scores) is None
