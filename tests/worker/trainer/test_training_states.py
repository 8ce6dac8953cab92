"""States of real trainings: each gets its own state and no other, and healthy ones get none."""

from typing import Any

import pytest
import torch

from contract.comparison.spec import parse_spec
from tests.support.specs import small
from worker.api.client import Claim
from worker.errors import DivergedError
from worker.reporting.reporter import ListReporter
from worker.trainer.attempt import run_attempt
from worker.trainer.training import Training

CPU = torch.device("cpu")
FEW = {"epochs": 5, "batch_size": 64}
HEALTHY: tuple[dict[str, Any], ...] = (
    *({"kind": kind} for kind in ("contrastive", "triplet", "n_pair", "info_nce", "sup_con")),
    *({"kind": kind} for kind in ("arcface", "center_contrastive")),
    {"kind": "triplet", "margin": 0.05},
    {"kind": "triplet", "selection": "semi_hard", "margin": 0.2},
)
COLLAPSING = {"kind": "triplet", "margin": 0.5, "selection": "batch_hard"}
DEEP = {"kind": "mlp", "hidden": 64, "layers": 4, "embedding_dim": 16}
"""Its untrained embeddings almost coincide: the mean cosine is 0.998."""


def trained(loss: dict[str, Any], *, seed: int = 0, **changes: Any) -> ListReporter:
    raw = small(**{"training": FEW, **changes}, arms=[{"name": "arm", "loss": loss}])
    reporter = ListReporter()
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm="arm", seed=seed, spec=raw)
    run_attempt(claim, reporter, lambda: False, CPU)
    return reporter


def with_optimizer(**optimizer: Any) -> dict[str, Any]:
    return {**FEW, "optimizer": optimizer}


@pytest.mark.parametrize("loss", HEALTHY, ids=lambda loss: "-".join(map(str, loss.values())))
def test_a_healthy_training_has_no_state(loss: dict[str, Any]) -> None:
    reporter = trained(loss)
    assert reporter.state == "succeeded"
    assert reporter.states == {}


def test_a_training_that_hardly_begins_has_not_collapsed() -> None:
    """The loss stays at its trivial value, and the cosines are high, as they were untrained."""
    reporter = trained(
        {"kind": "triplet"}, encoder=DEEP, training=with_optimizer(kind="adam", lr=1e-6)
    )
    trivial = reporter.series["dynamics.trivial_loss"][-1][1]
    assert reporter.series["dynamics.loss"][-1][1] == pytest.approx(trivial, rel=0.01)
    assert (reporter.series["geometry.mean_cosine"][-1][1] or 0) > 0.99
    assert reporter.states == {}


def test_batch_hard_at_a_high_learning_rate_collapses() -> None:
    reporter = trained(COLLAPSING, training=with_optimizer(kind="adam", lr=0.03))
    assert reporter.state == "succeeded"
    assert list(reporter.states) == ["collapsed"]
    since, message = reporter.states["collapsed"]
    assert 1 <= since <= 48
    assert "Lower the learning rate, start with semi-hard tuples" in message
    [line] = [line for line in reporter.lines if "collapsed" in line]
    assert line.startswith(f"step {since}: collapsed. ")


def test_a_batch_without_tuples_teaches_nothing() -> None:
    """Batches of one class are refused for new comparisons; older ones may have them."""
    sampler = {"kind": "m_per_class", "m": 32}
    training = {"epochs": 2, "batch_size": 32, "sampler": sampler}
    reporter = trained({"kind": "triplet"}, training=training)
    assert reporter.state == "succeeded"
    assert list(reporter.states) == ["no_valid_tuple"]
    assert reporter.states["no_valid_tuple"][0] <= reporter.steps_per_epoch


@pytest.mark.parametrize("normalize", [True, False])
def test_weights_that_grow_without_bound_end_the_run_with_their_cause(normalize: bool) -> None:
    encoder = {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16}
    reporter = trained(
        {"kind": "triplet"},
        encoder={**encoder, "normalize": normalize},
        training=with_optimizer(kind="adamw", lr=1.0, weight_decay=50),
    )
    assert reporter.state == "failed"
    assert reporter.failure
    assert "float32" in reporter.failure.message
    assert reporter.failure.cause.startswith("The weight decay 50 times the learning rate 1 is 50")
    assert list(reporter.states) == ["overflow"]
    step, message = reporter.states["overflow"]
    assert step == reporter.failure.step
    assert "weight decay" in message
    assert sum("weight decay 50" in line for line in reporter.lines) == 1, "logged once"


def test_overflow_that_only_the_evaluation_sees_ends_the_run_too() -> None:
    spec = parse_spec(small(training={"epochs": 1, "batch_size": 64}))
    reporter = ListReporter()
    training = Training(spec, spec.arms[0], 0, CPU, reporter)
    for weight in training.member.model.parameters():
        weight.data.fill_(3e19)
    with pytest.raises(DivergedError, match="length"):
        training.run(lambda: False)
    assert list(reporter.states) == ["overflow"]
    assert reporter.states["overflow"][0] == 0


def test_a_training_that_makes_things_worse_is_below_the_untrained_network() -> None:
    ruinous = with_optimizer(kind="adamw", lr=0.01, weight_decay=90)
    reporter = trained({"kind": "triplet", "margin": 0.5}, training=ruinous)
    assert "below_untrained" in reporter.states
    assert not {"overflow", "no_valid_tuple", "below_backbone"} & reporter.states.keys()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_of_twenty_seeds_each_collapse_is_found_and_no_other(seed: int) -> None:
    collapsing = with_optimizer(kind="adam", lr=0.03)
    assert list(trained(COLLAPSING, seed=seed, training=collapsing).states) == ["collapsed"]
    for loss in HEALTHY:
        found = trained(loss, seed=seed).states.keys()
        # In the first epochs proxies may turn a space round before they order it.
        assert not found - {"below_untrained"}
