"""Presets of other papers and of other data."""

from typing import Final

from contract.catalogue.presets.preset import (
    Preset,
    balanced_pair,
    pair,
    seven_losses,
    ten_seeds,
)

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
        "text-detail",
        "Generated texts: what detail is kept",
        "Eight domains of short requests train, and their 40 intents, which no loss sees, tell how "
        "much detail each loss keeps. The bundled static encoder is frozen and a linear head "
        "trains: 20 runs, under a minute on two CPU cores.",
        spec={
            "name": "texts: detail kept under coarse labels",
            "tags": ["detail", "text"],
            "data": {"kind": "generated_text"},
            "encoder": {"kind": "static_text", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 20, "batch_size": 64},
            "measure": {"evaluate_every": 2},
            "arms": pair(),
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="Texts: what detail is kept",
    ),
    Preset(
        "clinc150-detail",
        "CLINC150: what detail is kept",
        "10 domains of queries train, and their 150 intents, which no loss sees, tell how much "
        "detail each loss keeps; real queries, in the split of their authors.",
        "Larson et al. 2019, An Evaluation Dataset for Intent Classification and Out-of-Scope "
        "Prediction",
        "https://aclanthology.org/D19-1131",
        spec={
            "name": "clinc150: detail kept under coarse labels",
            "tags": ["detail", "text"],
            "data": {"kind": "text", "split": "given"},
            "encoder": {"kind": "static_text", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 10, "batch_size": 128},
            "measure": {"evaluate_every": 2},
            "arms": pair(),
            "seeds": ten_seeds(),
        },
        needs="Upload CLINC150 on the Data page first, as texts: a table with the columns text, "
        "label (the domain), fine_label (the intent) and split; leave its out-of-scope queries "
        "out. It is CC BY 3.0, github.com/clinc/oos-eval.",
        group=_GROUP,
        short="CLINC150: what detail is kept",
    ),
    Preset(
        "text-pairs",
        "Pairs of texts: contrastive, triplet and InfoNCE",
        "480 generated requests, each with positives that say it in other words and hard negatives "
        "that ask something else about the same thing; data without classes. The bundled static "
        "encoder is frozen and a linear head trains: 30 runs, under a minute on two CPU cores.",
        spec={
            "name": "pairs of texts: contrastive, triplet, InfoNCE",
            "tags": ["pairs", "text"],
            "data": {"kind": "generated_tuples", "shape": "triplets"},
            "encoder": {"kind": "static_text", "embedding_dim": 64, "normalize": True},
            "training": {"epochs": 10, "batch_size": 64},
            "arms": [
                *balanced_pair(),
                {"name": "info_nce", "loss": {"kind": "info_nce", "temperature": 0.05}},
            ],
            "seeds": ten_seeds(),
        },
        group=_GROUP,
        short="Texts: pairs and triplets",
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
