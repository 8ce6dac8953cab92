"""Presets of other papers and of other data."""

from typing import Final

from contract.catalogue.presets.preset import Preset, pair, seven_losses, ten_seeds

_GROUP: Final = "More protocols and data"

OTHERS: Final = (
    Preset(
        "z26",
        "Zeng et al. 2026, seven losses",
        "A frozen ViT-B/32 with a 128-D unit head, Adam 1e-4, batch 512, 100 epochs, seven losses, "
        "here on CIFAR-10; the paper has Fashion-MNIST, Tiny-ImageNet, CARS196 and CUB-200 too.",
        "Zeng, Niu, Li & Taya 2026, Variance & Greediness (protocol from a secondary source)",
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
            "arms": seven_losses(),
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="Zeng et al. 2026, seven losses",
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
            "arms": pair(),
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="CIFAR-100: what detail is kept",
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
            "arms": pair(),
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="Spoken digits x MNIST",
    ),
)
