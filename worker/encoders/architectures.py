"""The pretrained backbones that a spec can name, with their weights and image preparation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import nn

from contract.comparison.encoder import Backbone as BackboneSpec
from worker.encoders import efficientnet, weights
from worker.encoders.networks import Backbone, Preparation
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

RANDOM_SEED: Final = 0
"""Seed of random weights: the same for every arm and seed, so that features can be stored."""


@dataclass(frozen=True)
class Architecture:
    """How a network is built, and how its images are prepared."""

    make: Callable[[], nn.Module]
    """Builds the network with random weights and without its classifier; it gives features
    [B, F]."""
    features: int
    """Number of features F."""
    classifier: str
    """Prefix of the names of the classifier's weights, which are left out."""
    url: str = ""
    """Address of the published ImageNet weights; empty where a package contains them."""
    preparation: Preparation = field(default_factory=Preparation)


def build_backbone(spec: BackboneSpec, folder: Path, progress: Progress) -> Backbone:
    """Build the backbone of a spec, in evaluation mode, without changing torch's global generator.

    Raises:
        DataError: its weights are missing, damaged or those of another network.
    """
    architecture = ARCHITECTURES[spec.kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        network = architecture.make()
    if spec.weights == "file":
        found = weights.read_weights(Path(spec.weights_file))
        weights.load_into(
            network, found, classifier=architecture.classifier, source=spec.weights_file
        )
    elif spec.weights == "imagenet":
        found = (
            weights.download_weights(architecture.url, folder, progress)
            if architecture.url
            else efficientnet.imagenet_weights()
        )
        weights.load_into(
            network, found, classifier=architecture.classifier, source="the published weights"
        )
    return Backbone(network, architecture.features, architecture.preparation).eval()


def _resnet(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        network: nn.Module = getattr(torchvision.models, name)()
        network.fc = nn.Identity()
        return network

    return make


def _vit() -> nn.Module:
    network: nn.Module = torchvision.models.vit_b_32()
    network.heads = nn.Identity()
    return network


_MODELS: Final = torchvision.models
ARCHITECTURES: Final = {
    "resnet18": Architecture(
        _resnet("resnet18"), 512, "fc.", _MODELS.ResNet18_Weights.IMAGENET1K_V1.url
    ),
    "resnet50": Architecture(
        _resnet("resnet50"), 2048, "fc.", _MODELS.ResNet50_Weights.IMAGENET1K_V1.url
    ),
    "vit_b_32": Architecture(_vit, 768, "heads.", _MODELS.ViT_B_32_Weights.IMAGENET1K_V1.url),
    "efficientnet_lite0": Architecture(
        efficientnet.build_efficientnet,
        1280,
        "classifier.",
        preparation=Preparation(mean=efficientnet.MEAN, std=efficientnet.STD),
    ),
}
"""Kind of encoder -> its architecture."""
