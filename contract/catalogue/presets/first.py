"""Presets for a first look, on data that are bundled with the product."""

from typing import Any, Final

from contract.catalogue.presets.preset import Preset, pair, seven_losses, ten_seeds

_GROUP: Final = "First look"

_DIGITS: Final[dict[str, Any]] = {
    "tags": ["demo"],
    "data": {"kind": "digits"},
    "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
    "training": {"epochs": 20, "batch_size": 64},
}

DEMO: Final[dict[str, Any]] = {
    "name": "digits: contrastive vs triplet",
    **_DIGITS,
    "arms": pair(),
    "seeds": [0, 1, 2],
}
"""The first comparison, on bundled data. Three seeds are the fewest that give a verdict, and it is
over while one watches."""

FIRST: Final = (
    Preset(
        "digits",
        "Digits: contrastive vs triplet",
        "A first look on bundled real data; about half a minute on two CPU cores.",
        spec=DEMO,
        group=_GROUP,
        short="Digits: contrastive vs triplet",
    ),
    Preset(
        "digits-seven",
        "Digits: seven losses",
        "All seven losses at their usual settings, side by side; batches of 8 classes x 8 items; "
        "70 runs, about six minutes on two CPU cores.",
        spec={
            "name": "digits: seven losses",
            **_DIGITS,
            "training": {**_DIGITS["training"], "sampler": {"kind": "m_per_class", "m": 8}},
            "arms": seven_losses(),
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="Digits: seven losses",
    ),
)
