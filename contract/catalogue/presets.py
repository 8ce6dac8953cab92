"""Ready-made specs: the first comparison, and the protocols of papers with reported figures."""

from dataclasses import dataclass, field
from typing import Any, Final

from contract.catalogue.claims import REPORTED, Reported

_Z25: Final = "Zeng 2025, Comparing Contrastive and Triplet Loss (protocol read second-hand)"
_Z25_URL: Final = "https://arxiv.org/abs/2510.02161"


@dataclass(frozen=True)
class Preset:
    """A comparison to start from."""

    id: str
    label: str
    idea: str
    paper: str = ""
    url: str = ""
    spec: dict[str, Any] | None = None
    """None where this version cannot follow the protocol."""
    needs: str = ""
    """What is missing for the protocol, in words."""
    reported: tuple[Reported, ...] = field(default_factory=tuple)
    """Figures that the paper reports."""


def _arms(*kinds: str, **settings: Any) -> list[dict[str, Any]]:
    """Return arms that differ only in their loss."""
    return [{"name": kind, "loss": {"kind": kind, **settings}} for kind in kinds]


def _pair() -> list[dict[str, Any]]:
    """Return arms of the two main losses, with the same margin as in the papers."""
    return _arms("contrastive", "triplet", margin=1.0, selection="all", reduction="mean")


DEMO: Final[dict[str, Any]] = {
    "name": "digits: contrastive vs triplet",
    "tags": ["demo"],
    "data": {"kind": "digits"},
    "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
    "training": {"epochs": 20, "batch_size": 64},
    "arms": _pair(),
    "seeds": [0, 1, 2],
}
"""The first comparison, on bundled data."""

PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "digits",
        "Digits: contrastive vs triplet",
        "A first look on bundled real data; about half a minute on two CPU cores.",
        spec=DEMO,
    ),
    Preset(
        "digits-seven",
        "Digits: seven losses",
        "All seven losses at their usual settings, side by side; batches of 8 classes x 8 items.",
        spec={
            "name": "digits: seven losses",
            "tags": ["demo"],
            "data": {"kind": "digits"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
            "training": {
                "epochs": 20,
                "batch_size": 64,
                "sampler": {"kind": "m_per_class", "m": 8},
            },
            "arms": [
                *_pair(),
                *_arms("n_pair", "info_nce", "arcface", "sup_con", "center_contrastive"),
            ],
            "seeds": [0, 1, 2],
        },
    ),
    Preset(
        "z25-synthetic",
        "Zeng 2025, synthetic",
        "10 classes x 200 items, 128 features, several modes a class, 10 % overlap, "
        "5 % outliers; MLP, Adam 1e-3, batch 64, margin 1, 100 epochs.",
        _Z25,
        _Z25_URL,
        {
            "name": "z25-synthetic: contrastive vs triplet",
            "tags": ["z25"],
            "data": {"kind": "synthetic"},
            "encoder": {"kind": "mlp", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 100, "batch_size": 64},
            "measure": {"evaluate_every": 2},
            "arms": _pair(),
            "seeds": [0, 1, 2, 3, 4],
        },
        reported=REPORTED["z25-synthetic"],
    ),
    Preset(
        "z25-mnist",
        "Zeng 2025, MNIST",
        "MNIST, a small convnet, Adam 1e-3, batch 64, margin 1, 50 epochs; a quarter of an hour "
        "a run on one CPU core.",
        _Z25,
        _Z25_URL,
        {
            "name": "z25-mnist: contrastive vs triplet",
            "tags": ["z25"],
            "data": {"kind": "mnist"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "channels": 16, "normalize": True},
            "training": {"epochs": 50, "batch_size": 64},
            "measure": {"evaluate_every": 5},
            "arms": _pair(),
            "seeds": [0, 1, 2, 3, 4],
        },
    ),
    Preset(
        "z25-cifar10",
        "Zeng 2025, CIFAR-10",
        "CIFAR-10, a small convnet, Adam 1e-3, batch 64, margin 1, 50 epochs; a GPU is worth "
        "having.",
        _Z25,
        _Z25_URL,
        {
            "name": "z25-cifar10: contrastive vs triplet",
            "tags": ["z25"],
            "data": {"kind": "cifar10"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 50, "batch_size": 64},
            "measure": {"evaluate_every": 5},
            "arms": _pair(),
            "seeds": [0, 1, 2, 3, 4],
        },
        reported=REPORTED["z25-cifar10"],
    ),
    Preset(
        "z25-retrieval",
        "Zeng 2025, retrieval",
        "A frozen ViT-B/32 with a trained head, Adam 1e-3, batch 64, margin 1, 30 epochs (another "
        "source says 50), here on CUB-200-2011; the paper has CARS196 and CIFAR-10 too: choose "
        "them as data.",
        _Z25,
        _Z25_URL,
        {
            "name": "z25-retrieval: contrastive vs triplet",
            "tags": ["z25"],
            "data": {"kind": "cub200"},
            "encoder": {"kind": "vit_b_32", "embedding_dim": 128, "normalize": True},
            "training": {"epochs": 30, "batch_size": 64},
            "arms": _pair(),
            "seeds": [0, 1, 2, 3, 4],
        },
        reported=REPORTED["z25-retrieval"],
    ),
    Preset(
        "z26",
        "Zeng et al. 2026, seven losses",
        "A frozen ViT-B/32 with a 128-D unit head, Adam 1e-4, batch 512, 100 epochs, seven losses, "
        "here on CIFAR-10; the paper has Fashion-MNIST, Tiny-ImageNet, CARS196 and CUB-200 too.",
        "Zeng, Niu, Li & Taya 2026, Variance & Greediness (protocol read second-hand)",
        "https://arxiv.org/abs/2601.21450",
        {
            "name": "z26: seven losses",
            "tags": ["z26"],
            "data": {"kind": "cifar10"},
            "encoder": {"kind": "vit_b_32", "embedding_dim": 128, "normalize": True},
            "training": {
                "epochs": 100,
                "batch_size": 512,
                "optimizer": {"kind": "adam", "lr": 1e-4},
            },
            "measure": {"evaluate_every": 5},
            "arms": [
                *_pair(),
                *_arms("n_pair", "info_nce", "arcface", "sup_con", "center_contrastive"),
            ],
            "seeds": [0, 1, 2],
        },
    ),
    Preset(
        "cifar100-detail",
        "CIFAR-100: what detail is kept",
        "20 coarse classes train, and their 100 fine classes, which no loss sees, tell how much "
        "detail each loss keeps.",
        spec={
            "name": "cifar100: detail kept under coarse labels",
            "tags": ["detail"],
            "data": {"kind": "cifar100"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 30, "batch_size": 128, "augmentation": "flip_shift"},
            "measure": {"evaluate_every": 5},
            "arms": _pair(),
            "seeds": [0, 1, 2, 3, 4],
        },
    ),
    Preset(
        "spoken-digits",
        "Spoken digits x MNIST",
        "Audio-visual: recordings and images of the same digits, an encoder each, one space; "
        "retrieval from sound to picture and back.",
        spec={
            "name": "spoken digits x MNIST: contrastive vs triplet",
            "tags": ["audio-visual"],
            "data": {"kind": "spoken_digits"},
            "encoder": {"kind": "audio_convnet", "channels": 16, "embedding_dim": 64},
            "visual_encoder": {"kind": "convnet", "channels": 16, "embedding_dim": 64},
            "training": {"epochs": 20, "batch_size": 64},
            "arms": _pair(),
            "seeds": [0, 1, 2, 3, 4],
        },
    ),
    Preset(
        "mlrc",
        "Musgrave et al. 2020, reality check",
        "CUB, CARS196 and SOP split by class, a CNN with frozen batch norm and 128 dimensions, "
        "batches of 8 classes x 4 items, four-fold cross-validation, an equal tuning budget.",
        "Musgrave, Belongie & Lim 2020, A Metric Learning Reality Check",
        "https://arxiv.org/abs/2003.08505",
        needs="tuning with an equal budget and four-fold cross-validation",
        reported=REPORTED["mlrc"],
    ),
)
