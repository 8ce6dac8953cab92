"""A small convolutional network for small images.

No batch normalisation: an embedding must not depend on which other items are in its batch, or the
two arms' dynamics would differ by more than their loss.

A small convolutional network for small images.

No batch normalisation: an embedding must not depend on which other items are in its batch, or the
two arms' dynamics would differ by more than their loss.

A small convolutional network for log-mel spectrograms; no batch normalisation, as in convnet.

A multi-layer perceptron on flattened items.

What maps a backbone's features to embeddings.

Images as networks take them.

A known network without its classifier: images in, features out.

A backbone with a head, and which of the two trains.
"""

import math
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor, nn
from torch.nn import functional

from contract.comparison.encoder import AudioConvnetEncoder, ConvnetEncoder, MlpEncoder
from contract.comparison.encoder import Backbone as Spec
from worker.encoders import weights
from worker.errors import DataError

POOLED = 4
"""Side of the feature map in front of the head, whatever the image's size."""


def build_convnet(spec: ConvnetEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Two blocks of convolution and ReLU, the second with twice the channels; then a linear head.

    [B, C, H, W] -> [B, D].
    """
    wide = 2 * spec.channels
    return nn.Sequential(
        nn.Conv2d(item_shape[0], spec.channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(spec.channels, wide, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(POOLED),
        nn.Flatten(),
        nn.Linear(wide * POOLED * POOLED, spec.embedding_dim),
    )


class MeanOverTime(nn.Module):
    """What was heard, whenever: the mean over frames, bands kept apart."""

    def forward(self, maps: Tensor) -> Tensor:
        """[B, C, bands, frames] -> [B, C * bands]."""
        return maps.mean(dim=3).flatten(1)


def build_audio_convnet(spec: AudioConvnetEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Three blocks of convolution, ReLU and pooling, each with twice the channels; then the mean
    over time and a linear head.

    [B, 1, bands, frames] -> [B, D].
    """
    layers: list[nn.Module] = []
    channels, bands = item_shape[0], item_shape[1]
    for wide in (spec.channels, 2 * spec.channels, 4 * spec.channels):
        layers += [nn.Conv2d(channels, wide, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels, bands = wide, bands // 2
    return nn.Sequential(*layers, MeanOverTime(), nn.Linear(channels * bands, spec.embedding_dim))


def build_mlp(spec: MlpEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Hidden layers with ReLU, then a linear head; [B, *item_shape] -> [B, D]."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(item_shape)
    for _ in range(spec.layers):
        layers += [nn.Linear(width, spec.hidden), nn.ReLU()]
        width = spec.hidden
    return nn.Sequential(*layers, nn.Linear(width, spec.embedding_dim))


def build_head(spec: Spec, features: int) -> nn.Sequential:
    """[B, features] -> [B, embedding_dim]: linear, or with one hidden layer."""
    if not spec.hidden:
        return nn.Sequential(nn.Linear(features, spec.embedding_dim))
    return nn.Sequential(
        nn.Linear(features, spec.hidden),
        nn.ReLU(),
        nn.Linear(spec.hidden, spec.embedding_dim),
    )


class Pixels(nn.Module):
    """uint8 images to 0 ... 1; what is float stays."""

    def forward(self, items: Tensor) -> Tensor:
        """[B, ...] -> float32 [B, ...]."""
        return items if items.is_floating_point() else items.to(torch.float32).div_(255)


class Standard(nn.Module):
    """Images [B, C, H, W] as a pretrained network saw them: three channels, its side, its mean."""

    mean: Tensor
    std: Tensor

    def __init__(self, crop: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.crop = crop
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """[B, 1 or 3, H, W] with values 0 to 1 -> [B, 3, crop, crop]."""
        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        if images.shape[-2:] != (self.crop, self.crop):
            images = functional.interpolate(
                images, (self.crop, self.crop), mode="bilinear", antialias=True
            )
        return (images - self.mean) / self.std


def load_image(path: Path, resize: int, crop: int) -> Tensor:
    """An image file as [3, crop, crop] uint8: upright, its shorter side brought to `resize`, the
    middle cut out.

    Raises:
        DataError: it cannot be read as an image.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (resize, resize))  # a JPEG may be decoded at 1/2, 1/4, 1/8
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as an image: {error}. Replace or remove it."
        ) from error
    scale = resize / min(image.size)
    width, height = (max(crop, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - crop) // 2, (height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


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
