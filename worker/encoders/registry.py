"""The functions that build each kind of encoder."""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn
from torch.nn import functional

from contract.comparison.encoder import BackboneEncoder, Encoder, Pretrained, TextEncoder, is_frozen
from worker.encoders import networks
from worker.encoders.networks import Backbone, BackboneWithHead, ScalePixels
from worker.encoders.text.model import TextModel
from worker.reporting.progress import SILENT, Progress
from worker.settings import datasets_folder

SMALL_ENCODERS: Final[dict[str, Any]] = {
    "mlp": networks.build_mlp,
    "convnet": networks.build_convnet,
    "audio_convnet": networks.build_audio_convnet,
}
"""Kind of encoder -> the function that builds it for items of a shape. All other kinds are
backbones, of images or of texts."""
TEXT_MODELS: Final = {
    "static_text": "worker.encoders.text.static",
    "transformer_text": "worker.encoders.text.transformer",
}
"""Kind of encoder -> the module whose `build_model` builds its model."""


class UnitSphere(nn.Module):
    """L2-normalise each embedding."""

    def forward(self, embeddings: Tensor) -> Tensor:
        """[B, D] -> [B, D] of norm 1."""
        return functional.normalize(embeddings, dim=1)


def build(
    spec: Encoder,
    item_shape: tuple[int, ...],
    *,
    folder: Path | None = None,
    progress: Progress = SILENT,
) -> nn.Module:
    """Build the network of a spec, [B, *item_shape] -> [B, embedding_dim]; images may be uint8, and
    texts are their tokens as int32.

    Trained weights start from torch's global generator: seed that first.

    Args:
        spec: kind and settings.
        item_shape: shape of one item; [F] for the head alone of a frozen backbone with F features.
        folder: the folder of the data sets, where published weights are kept; by default the one
            of the settings.
        progress: called while weights are downloaded.

    Raises:
        DataError: the weights of a backbone are missing, damaged or those of another network.
        CancelledError: raised by `progress`.
    """
    network: nn.Module
    if not isinstance(spec, Pretrained):
        network = nn.Sequential(ScalePixels(), *SMALL_ENCODERS[spec.kind](spec, item_shape))
    elif is_frozen(spec) and len(item_shape) == 1:
        network = networks.build_head(spec, item_shape[0])
    else:
        own = (
            text_model(spec)
            if isinstance(spec, TextEncoder)
            else backbone(spec, folder=folder, progress=progress)
        )
        network = BackboneWithHead(
            own, networks.build_head(spec, own.features), whole=spec.tuning == "full"
        )
    return nn.Sequential(network, UnitSphere()) if spec.normalize else network


def backbone(
    spec: BackboneEncoder, *, folder: Path | None = None, progress: Progress = SILENT
) -> Backbone:
    """Build the backbone of a spec without its head, in evaluation mode.

    Raises:
        DataError: its weights are missing, damaged or those of another network.
        CancelledError: raised by `progress`.
    """
    # Imported at first use: torchvision takes seconds, which other runs must not pay.
    module = import_module("worker.encoders.architectures")
    found: Backbone = module.build_backbone(spec, folder or datasets_folder(), progress)
    return found


def text_model(spec: TextEncoder) -> TextModel:
    """Build the model of a spec without its head, in evaluation mode; nothing is downloaded.

    Raises:
        DataError: it is missing or damaged, or needs a package that is not installed.
    """
    # Imported at first use: runs on other data must not pay for these libraries.
    module = import_module(TEXT_MODELS[spec.kind])
    found: TextModel = module.build_model(spec)
    return found
