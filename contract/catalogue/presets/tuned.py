"""Presets whose arms are tuned with the same budget before they are compared."""

from typing import Any, Final

from contract.catalogue.claims import REPORTED
from contract.catalogue.presets.preset import Preset, arms, pair, ten_seeds
from contract.tuning.spaces import as_json, default_space

_GROUP: Final = "Tuned alike"


def _mlrc_arms() -> list[dict[str, Any]]:
    """Return the arms with their ready-made spaces, but for the items a class in a batch, which the
    protocol fixes."""
    of_losses = [
        # The benchmark averages positive pairs and negative pairs each on their own.
        *arms("contrastive", reduction="balanced", pull_weight=0.5),
        *arms("triplet", reduction="mean_active"),
        *arms("info_nce", "arcface", "center_contrastive"),
    ]
    found = []
    for arm in of_losses:
        space = default_space(arm["loss"]["kind"])
        del space["training.sampler.m"]
        found.append({**arm, "search": as_json(space)})
    return found


TUNED: Final = (
    Preset(
        "digits-tuned",
        "Digits: contrastive vs triplet, tuned alike",
        "Each loss gets 24 trials over its margin, learning rate and weight decay, judged on "
        "validation data; then the best setting of each is trained with ten fresh seeds. A small "
        "MLP on bundled data; 68 runs, under three minutes on two CPU cores.",
        spec={
            "name": "digits: contrastive vs triplet, tuned alike",
            "tags": ["tuned"],
            "data": {"kind": "digits"},
            "encoder": {
                "kind": "mlp",
                "hidden": 128,
                "layers": 1,
                "embedding_dim": 64,
                "normalize": True,
            },
            "training": {"epochs": 20, "batch_size": 64},
            "tuning": {"trials": 24},
            "arms": pair(),
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="Digits, 24 trials a loss",
    ),
    Preset(
        "mlrc",
        "Musgrave et al. 2020, reality check",
        "Half of the classes train and the others test; batches of 8 classes x 4 items, 128 "
        "dimensions, and the same budget of trials for every loss, each judged by the mean of "
        "four class-disjoint folds of the training half. Here on CUB-200-2011; the paper has "
        "CARS196 and SOP too: choose them, or a feature table of your own, as data (the linear "
        "head is then an MLP without hidden layers). What differs from the benchmark: the "
        "backbone is a frozen ResNet-50 under a linear head, where the benchmark trains a BN-"
        "Inception as a whole; 24 random trials, where it has 50 Bayesian ones; and the final "
        "runs train one model a seed on all training classes for the median best epoch of the "
        "folds, where it tests the four models of the folds, each alone and their embeddings "
        "joined. Centre contrastive stands for its proxy losses.",
        "Musgrave, Belongie & Lim 2020, A Metric Learning Reality Check",
        "https://arxiv.org/abs/2003.08505",
        {
            "name": "mlrc: five losses, tuned alike",
            "tags": ["mlrc", "tuned"],
            "data": {"kind": "cub200"},
            "encoder": {"kind": "resnet50", "embedding_dim": 128, "normalize": True},
            "training": {
                "epochs": 20,
                "batch_size": 32,
                "sampler": {"kind": "m_per_class", "m": 4},
            },
            "tuning": {"trials": 24, "folds": 4},
            "arms": _mlrc_arms(),
            "seeds": ten_seeds(),
        },
        reported=REPORTED["mlrc"],
        group=_GROUP,
        short="Musgrave et al. 2020, reality check",
    ),
)
