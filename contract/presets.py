"""Ready-made specs: the first comparison, and the papers' protocols."""

from typing import Any, Final


def _arms(**settings: Any) -> list[dict[str, Any]]:
    """The pair that the product is first of all about, with the same settings."""
    return [
        {"name": kind, "loss": {"kind": kind, "margin": 1.0, "selection": "all", **settings}}
        for kind in ("contrastive", "triplet")
    ]


PRESETS: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": "digits",
        "label": "Digits: contrastive vs triplet",
        "idea": "A first look on bundled real data; about half a minute on two CPU cores.",
        "paper": "",
        "url": "",
        "spec": {
            "name": "digits: contrastive vs triplet",
            "tags": ["demo"],
            "data": {"kind": "digits"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 20, "batch_size": 64},
            "arms": _arms(reduction="mean"),
            "seeds": [0, 1, 2],
        },
    },
    {
        "id": "z25-synthetic",
        "label": "Zeng 2025, synthetic",
        "idea": "10 classes x 200 items, 128 features, several modes a class, 10 % overlap, "
        "5 % outliers; MLP, Adam 1e-3, batch 64, margin 1, 100 epochs.",
        "paper": "Zeng 2025, Comparing Contrastive and Triplet Loss (protocol read second-hand)",
        "url": "https://arxiv.org/abs/2510.02161",
        "spec": {
            "name": "z25-synthetic: contrastive vs triplet",
            "tags": ["z25"],
            "data": {"kind": "synthetic"},
            "encoder": {"kind": "mlp", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 100, "batch_size": 64},
            "measure": {"evaluate_every": 2},
            "arms": _arms(reduction="mean"),
            "seeds": [0, 1, 2, 3, 4],
        },
    },
)
