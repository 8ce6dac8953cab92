"""The backbones that a spec can name, and where their weights come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import nn

from contract.comparison.encoder import Backbone as Spec
from worker.encoders import efficientnet, weights
from worker.encoders.networks import Backbone, Preparation
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

RANDOM_SEED: Final = 0
"""Of random weights: the same for every arm and seed, so that features can be kept."""


@dataclass(frozen=True)
class Architecture:
    """How a network is made, and how its images are prepared."""

    make: Callable[[], nn.Module]
    """The network with random weights and without its classifier: features [B, F]."""
    features: int
    classifier: str
    """Beginning of the names of the published weights that are left out."""
    url: str = ""
    """Of the published ImageNet weights; empty where a package brings them."""
    preparation: Preparation = field(default_factory=Preparation)


def build(spec: Spec, folder: Path, progress: Progress) -> Backbone:
    """The backbone of a spec, in evaluation mode. Torch's global generator is left as it was.

    Raises:
        DataError: its weights are missing, damaged or those of another network.
    """
    architecture = ARCHITECTURES[spec.kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        network = architecture.make()
    if spec.weights == "file":
        found = weights.read(Path(spec.weights_file))
        weights.fill(network, found, classifier=architecture.classifier, source=spec.weights_file)
    elif spec.weights == "imagenet":
        found = (
            weights.downloaded(architecture.url, folder, progress)
            if architecture.url
            else efficientnet.imagenet()
        )
        weights.fill(
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
        efficientnet.make,
        1280,
        "classifier.",
        preparation=Preparation(mean=efficientnet.MEAN, std=efficientnet.STD),
    ),
}
"""By the kind of their spec."""
