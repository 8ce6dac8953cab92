"""Small specs for tests that train."""

from typing import Any


def small(**changes: Any) -> dict[str, Any]:
    """One arm, one seed, digits, an MLP: 8 epochs of 16 steps, a second or two of training."""
    spec: dict[str, Any] = {
        "name": "small",
        "data": {"kind": "digits"},
        "encoder": {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16},
        "training": {"epochs": 8, "batch_size": 64},
        "arms": [{"name": "triplet", "loss": {"kind": "triplet", "margin": 0.5}}],
        "seeds": [0],
    }
    return {**spec, **changes}


def long(**changes: Any) -> dict[str, Any]:
    """As small, but long enough to be interrupted: 150 epochs, 2,400 steps."""
    training = {"epochs": 150, "batch_size": 64}
    usual = {"name": "long", "training": training, "measure": {"evaluate_every": 50}}
    return small(**{**usual, **changes})


def endless(**changes: Any) -> dict[str, Any]:
    """As small, but it ends only by being cancelled, however fast the machine is."""
    training = {"epochs": 10_000, "batch_size": 64}
    return small(name="endless", training=training, measure={"evaluate_every": 5_000}, **changes)
