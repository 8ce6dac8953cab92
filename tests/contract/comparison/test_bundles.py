"""Which runs may be trained together."""

from typing import Any

import pytest

from contract.comparison.bundles import bundle_key
from contract.comparison.spec import parse_spec
from contract.tuning.specs import trial_spec
from tests.support.specs import small

PULL: dict[str, Any] = {"name": "pull", "loss": {"kind": "contrastive"}}
TUNED: dict[str, Any] = {
    "arms": [{**PULL, "search": {"loss.margin": {"low": 0.1, "high": 2.0}}}],
    "tuning": {"trials": 4, "folds": 2},
}


def key(*, seed: int = 0, device: str = "cpu", **changes: Any) -> str | None:
    spec = parse_spec(small(**{"arms": [PULL], "seeds": [0, 1], **changes}))
    return bundle_key(spec, spec.arms[0], seed, device)


def of_loss(**settings: Any) -> str | None:
    return key(arms=[{"name": "pull", "loss": {"kind": "contrastive", **settings}}])


def of_optimizer(**settings: Any) -> str | None:
    return key(training={"epochs": 8, "batch_size": 64, "optimizer": settings})


def test_seeds_and_numbers_of_loss_and_optimiser_may_differ() -> None:
    assert key() is not None
    assert key(seed=1) == key()
    assert key(name="another", notes="n", practical={"retrieval.map_at_r": 0.1}) == key()
    assert of_loss(margin=0.2, positive_margin=0.1, pull_weight=0.3) == key()
    adam = {"kind": "adam", "lr": 0.5, "weight_decay": 0.1}
    assert of_optimizer(**adam) == of_optimizer(**adam, loss_lr=0.1) == key()
    renamed = [{**PULL, "name": "by another name"}, PULL]
    assert key(arms=renamed) == key()


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"kind": "digits", "seed": 1}},
        {"encoder": {"kind": "mlp", "hidden": 32, "layers": 1, "embedding_dim": 16}},
        {"measure": {"evaluate_every": 2}},
        {"training": {"epochs": 9, "batch_size": 64}},
        {"training": {"epochs": 8, "batch_size": 32}},
        {"training": {"epochs": 8, "batch_size": 64, "sampler": {"kind": "m_per_class", "m": 8}}},
        {"training": {"epochs": 8, "batch_size": 64, "optimizer": {"kind": "sgd"}}},
        {"arms": [{"name": "pull", "loss": {"kind": "triplet"}}]},
        {"arms": [{"name": "pull", "loss": {"kind": "contrastive", "reduction": "balanced"}}]},
        {"arms": [{"name": "pull", "loss": {"kind": "contrastive", "hinge": "linear"}}]},
        {"arms": [{**PULL, "training": {"batch_size": 32}}]},
    ],
)
def test_nothing_else_may_differ(changes: dict[str, Any]) -> None:
    assert key(**changes) not in {None, key()}


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cuda"},
        {"encoder": {"kind": "convnet", "channels": 4}},
        {"encoder": {"kind": "mlp", "hidden": 2048}},
        {"training": {"batch_size": 256}},
        {"training": {"precision": "bfloat16"}},
        {"arms": [{"name": "pull", "loss": {"kind": "contrastive", "selection": "batch_hard"}}]},
        {"arms": [{"name": "pull", "loss": {"kind": "triplet", "distance": "cosine"}}]},
    ],
)
def test_what_the_engine_does_not_compute_is_trained_alone(changes: dict[str, Any]) -> None:
    assert key(**changes) is None


def test_seeds_with_splits_of_their_own_are_trained_alone() -> None:
    assert key(replicate="split") not in {None, key(replicate="split", seed=1)}


def test_trials_of_one_fold_may_be_trained_together_and_not_with_others() -> None:
    spec = parse_spec(small(**TUNED))

    def of(margin: float, fold: int) -> str | None:
        trial = trial_spec(spec, "pull", {"loss.margin": margin}, fold)
        return bundle_key(trial, trial.arms[0], 1000, "cpu")

    assert of(0.5, 0) is not None
    assert of(0.5, 0) == of(1.5, 0)
    assert of(0.5, 0) != of(0.5, 1)
    final = spec.model_copy(update={"tuning": None})
    assert bundle_key(final, final.arms[0], 0, "cpu") not in {None, of(0.5, 0)}


def test_heads_of_frozen_models_for_texts_train_together_and_whole_models_do_not() -> None:
    data = {"kind": "generated_text"}
    head: dict[str, Any] = {"kind": "static_text", "hidden": 64}
    assert key(data=data, encoder=head) is not None
    assert key(data=data, encoder={**head, "hidden": 4096}) is None
    assert key(data=data, encoder={**head, "tuning": "full"}) is None
