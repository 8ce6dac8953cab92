"""The protocols of Zeng 2025: each as the paper samples its tuples, and on all tuples with pull and
push in balance."""

from typing import Any, Final

from contract.catalogue.claims import REPORTED
from contract.catalogue.presets.preset import Preset, balanced_pair, sampled_pair, ten_seeds

_PAPER: Final = (
    "Zeng 2025, Comparing Contrastive and Triplet Loss (protocol from a secondary source)"
)
_URL: Final = "https://arxiv.org/abs/2510.02161"
_BALANCED_GROUP: Final = "Zeng 2025, all tuples, balanced"
_BALANCED: Final = (
    "Not as in the paper: all tuples of a batch train, and positive and negative pairs weigh the "
    "same however many there are."
)
_SAMPLED_GROUP: Final = "Zeng 2025, the paper's sampling"
_SAMPLED: Final = (
    "As in the paper, as many negative pairs as positive ones, and one random triplet for each "
    "anchor."
)

_PROTOCOLS: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    (
        "z25-synthetic",
        "synthetic",
        "10 classes x 200 items, 128 features, several modes a class, 10 % overlap, "
        "5 % outliers; MLP, Adam 1e-3, batch 64, margin 1, 100 epochs.",
        {
            "data": {"kind": "synthetic"},
            "encoder": {"kind": "mlp", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 100, "batch_size": 64},
            "measure": {"evaluate_every": 2},
        },
    ),
    (
        "z25-mnist",
        "MNIST",
        "MNIST, a small convnet, Adam 1e-3, batch 64, margin 1, 50 epochs; a quarter of an hour "
        "a run on one CPU core.",
        {
            "data": {"kind": "mnist"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "channels": 16, "normalize": True},
            "training": {"epochs": 50, "batch_size": 64},
            "measure": {"evaluate_every": 5},
        },
    ),
    (
        "z25-cifar10",
        "CIFAR-10",
        "CIFAR-10, a small convnet, Adam 1e-3, batch 64, margin 1, 50 epochs; a GPU is worth "
        "having.",
        {
            "data": {"kind": "cifar10"},
            "encoder": {"kind": "convnet", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 50, "batch_size": 64},
            "measure": {"evaluate_every": 5},
        },
    ),
    (
        "z25-classification",
        "classification",
        "A frozen ViT-B/32 with a trained head, Adam 1e-3, batch 64, margin 1, 30 epochs, on "
        "CUB-200-2011 split by item, so that every species is in every split and the linear probe "
        "has training items of it. For CARS196 choose it as the kind of data and keep “Split by: "
        "item”.",
        {
            "data": {"kind": "cub200", "split": "item"},
            "encoder": {"kind": "vit_b_32", "embedding_dim": 128, "normalize": True},
            "training": {"epochs": 30, "batch_size": 64},
        },
    ),
    (
        "z25-retrieval",
        "retrieval",
        "A frozen ViT-B/32 with a trained head, Adam 1e-3, batch 64, margin 1, 30 epochs (another "
        "source says 50), here on CUB-200-2011; the paper has CARS196 and CIFAR-10 too: choose "
        "them as data.",
        {
            "data": {"kind": "cub200"},
            "encoder": {"kind": "vit_b_32", "embedding_dim": 128, "normalize": True},
            "training": {"epochs": 30, "batch_size": 64},
        },
    ),
)
"""Id, short label, description and shared sections of each protocol."""


def _as_in_the_paper(id_: str, short: str, idea: str, shared: dict[str, Any]) -> Preset:
    return _preset(
        id_,
        short,
        f"{idea} {_SAMPLED}",
        {**shared, "arms": sampled_pair()},
        reported=REPORTED.get(id_, ()),
        group=_SAMPLED_GROUP,
        short=short[0].upper() + short[1:],
    )


def _balanced(id_: str, short: str, idea: str, shared: dict[str, Any]) -> Preset:
    """Return the twin on all tuples. The paper reports nothing for it."""
    return _preset(
        f"{id_}-balanced",
        f"{short}, balanced",
        f"{idea} {_BALANCED}",
        {**shared, "arms": balanced_pair()},
        group=_BALANCED_GROUP,
        short=short[0].upper() + short[1:],
    )


def _preset(id_: str, title: str, idea: str, own: dict[str, Any], **facts: Any) -> Preset:
    spec = {"name": f"{id_}: contrastive vs triplet", "tags": ["z25"], **own, "seeds": ten_seeds()}
    return Preset(id_, f"Zeng 2025, {title}", idea, _PAPER, _URL, spec, **facts)


ZENG_2025: Final = (
    *(_as_in_the_paper(*protocol) for protocol in _PROTOCOLS),
    *(_balanced(*protocol) for protocol in _PROTOCOLS),
)
