"""A known network without its classifier: images in, features out.

A backbone with a head, and which of the two trains.
"""

from dataclasses import astuple, dataclass

from torch import Tensor, nn

from worker.encoders import weights
from worker.encoders.pixels import Pixels, Standard


@dataclass(frozen=True)
class Preparation:
    """How images are prepared for a network, as they were in its own training."""

    resize: int = 256
    """The shorter side to which an image file is brought before its middle is cut out."""
    crop: int = 224
    """The side of that middle, and of what the network takes."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Of each channel, ImageNet's."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """A network, and before it what prepares images for it."""

    def __init__(self, network: nn.Module, features: int, preparation: Preparation) -> None:
        super().__init__()
        own = preparation
        self.prepare = nn.Sequential(Pixels(), Standard(own.crop, own.mean, own.std))
        self.network = network
        self.features = features
        """How many it gives for an image."""
        self.resize, self.crop = own.resize, own.crop
        self._words = [type(network).__name__, *map(str, astuple(own))]

    def forward(self, images: Tensor) -> Tensor:
        """[B, 1 or 3, H, W] uint8, or floats from 0 to 1 -> [B, features]."""
        found: Tensor = self.network(self.prepare(images))
        return found

    @property
    def digest(self) -> str:
        """Of all that decides an image's features: preparation, architecture, weights."""
        return weights.digest_of(self._words, self.network)


class Tuned(nn.Module):
    """Images to embeddings. The backbone always stays in evaluation mode: with batch statistics an
    image's embedding would depend on which others are in its batch."""

    def __init__(self, backbone: Backbone, head: nn.Module, *, whole: bool) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(whole)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, D]."""
        embeddings: Tensor = self.head(self.backbone(images))
        return embeddings

    def train(self, mode: bool = True) -> "Tuned":
        """Set the head's mode."""
        super().train(mode)
        self.backbone.eval()
        return self
