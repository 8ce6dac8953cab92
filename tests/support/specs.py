"""Small specs for tests that train."""

from typing import Any


def small(**changes: Any) -> dict[str, Any]:
    """Return a spec of one run, an MLP on digits: 8 epochs of 16 steps, in a second or two."""
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
    """Return the small spec with 150 epochs, 2,400 steps: long enough to be interrupted."""
    training = {"epochs": 150, "batch_size": 64}
    usual = {"name": "long", "training": training, "measure": {"evaluate_every": 50}}
    return small(**{**usual, **changes})


def interruptible(**changes: Any) -> dict[str, Any]:
    """Return the small spec with 40 epochs, 640 steps: to interrupt it once and let it end."""
    return long(training={"epochs": 40, "batch_size": 64}, **changes)


def endless(**changes: Any) -> dict[str, Any]:
    """Return the small spec with so many epochs that it ends only by a cancel, on any machine."""
    training = {"epochs": 10_000, "batch_size": 64}
    return small(name="endless", training=training, measure={"evaluate_every": 5_000}, **changes)
