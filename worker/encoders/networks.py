"""Networks: small encoders, pretrained backbones with the preparation of their images, and heads.

No small encoder has batch normalisation: an embedding must not depend on the other items in its
batch, or the dynamics of two arms would differ by more than their losses.
"""

import math
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor, nn
from torch.nn import functional

from contract.comparison.data.kinds import Background
from contract.comparison.encoder import (
    AudioConvnetEncoder,
    ConvnetEncoder,
    MlpEncoder,
    Pretrained,
)
from contract.dataset_files.image_pixels import (
    NO_BACKGROUND,
    size_problem,
    upright_rgb,
    webp_problem,
)
from contract.dataset_files.problems import DEFAULT_LIMITS
from contract.dataset_files.regular_file import open_regular
from worker.encoders import weights
from worker.encoders.text.model import TextModel
from worker.errors import DataError

POOLED_SIDE = 4
"""Side of the feature map before the head, for images of every size."""


def build_convnet(spec: ConvnetEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Build an encoder of images [B, C, H, W] -> [B, D].

    Two blocks of convolution and ReLU, the second with twice the channels, and a linear head.
    """
    wide = 2 * spec.channels
    return nn.Sequential(
        nn.Conv2d(item_shape[0], spec.channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(spec.channels, wide, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(POOLED_SIDE),
        nn.Flatten(),
        nn.Linear(wide * POOLED_SIDE * POOLED_SIDE, spec.embedding_dim),
    )


def build_audio_convnet(spec: AudioConvnetEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Build an encoder of spectrograms [B, 1, bands, frames] -> [B, D].

    Three blocks of convolution, ReLU and pooling, each with twice the channels of the one before,
    the mean over time, and a linear head.
    """
    layers: list[nn.Module] = []
    channels, bands = item_shape[0], item_shape[1]
    for wide in (spec.channels, 2 * spec.channels, 4 * spec.channels):
        layers += [nn.Conv2d(channels, wide, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels, bands = wide, bands // 2
    return nn.Sequential(*layers, MeanOverTime(), nn.Linear(channels * bands, spec.embedding_dim))


class MeanOverTime(nn.Module):
    """The mean over frames, with the bands kept apart, so that time does not matter."""

    def forward(self, maps: Tensor) -> Tensor:
        """[B, C, bands, frames] -> [B, C * bands]."""
        return maps.mean(dim=3).flatten(1)


def build_mlp(spec: MlpEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Build an encoder [B, *item_shape] -> [B, D] of hidden layers with ReLU and a linear head."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(item_shape)
    for _ in range(spec.layers):
        layers += [nn.Linear(width, spec.hidden), nn.ReLU()]
        width = spec.hidden
    return nn.Sequential(*layers, nn.Linear(width, spec.embedding_dim))


def build_head(spec: Pretrained, features: int) -> nn.Sequential:
    """Build a head [B, features] -> [B, embedding_dim]: linear, or with one hidden layer."""
    if not spec.hidden:
        return nn.Sequential(nn.Linear(features, spec.embedding_dim))
    return nn.Sequential(
        nn.Linear(features, spec.hidden),
        nn.ReLU(),
        nn.Linear(spec.hidden, spec.embedding_dim),
    )


@dataclass(frozen=True)
class Preparation:
    """How images are prepared for a network, as in its own training."""

    resize: int = 256
    """Shorter side of an image file after scaling, before its middle is cut out."""
    crop: int = 224
    """Side of that middle, and of the images that the network takes."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Mean of each channel, by default ImageNet's."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Standard deviation of each channel, by default ImageNet's."""


class Backbone(nn.Module):
    """A pretrained network without its classifier, and the preparation of its images."""

    def __init__(self, network: nn.Module, features: int, preparation: Preparation) -> None:
        super().__init__()
        own = preparation
        self.prepare = nn.Sequential(ScalePixels(), Normalize(own.crop, own.mean, own.std))
        self.network = network
        self.features = features
        """Number of features of an image."""
        self.resize, self.crop = own.resize, own.crop
        self.preparation = own
        self.words = [type(network).__name__, *map(str, astuple(own))]
        """What besides its weights decides the features."""

    def forward(self, images: Tensor) -> Tensor:
        """[B, 1 or 3, H, W] uint8 or floats from 0 to 1 -> [B, features]."""
        found: Tensor = self.network(self.prepare(images))
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides the features: preparation, architecture, weights."""
        return weights.weights_digest(self.words, self.network)


class BackboneWithHead(nn.Module):
    """A backbone with a head, from images or texts to embeddings; the head trains, or both train.

    The backbone always stays in evaluation mode: with batch statistics the embedding of an item
    would depend on the other items in its batch.
    """

    def __init__(self, backbone: Backbone | TextModel, head: nn.Module, *, whole: bool) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(whole)
        self.head = head

    def forward(self, items: Tensor) -> Tensor:
        """Images [B, C, H, W], or tokens of texts [B, L] -> [B, D]."""
        embeddings: Tensor = self.head(self.backbone(items))
        return embeddings

    def train(self, mode: bool = True) -> "BackboneWithHead":
        """Set the mode of the head alone."""
        super().train(mode)
        self.backbone.eval()
        return self


class ScalePixels(nn.Module):
    """Scale uint8 images to values from 0 to 1; float items stay as they are."""

    def forward(self, items: Tensor) -> Tensor:
        """[B, ...] -> float32 [B, ...]."""
        return items if items.is_floating_point() else items.to(torch.float32).div_(255)


class Normalize(nn.Module):
    """Prepare images [B, C, H, W] as in a pretrained network's training: three channels, its side
    length, its mean and deviation."""

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


def load_image(
    path: Path, resize: int, crop: int, background: Background = NO_BACKGROUND
) -> Tensor:
    """Read an image file as [3, crop, crop] uint8.

    The image is turned upright, laid on the background where it is transparent, scaled so that its
    shorter side is `resize`, and cropped to its middle.

    Raises:
        DataError: it cannot be read as an image, or its size is refused; then it is not decoded.
    """
    try:
        with open_regular(path) as file:
            if problem := webp_problem(file, DEFAULT_LIMITS):
                raise DataError(f"{path} {problem}")
            with Image.open(file) as opened:
                if problem := size_problem(*opened.size, DEFAULT_LIMITS):
                    raise DataError(f"{path} {problem}")
                opened.draft("RGB", (resize, resize))  # a JPEG may be decoded at 1/2, 1/4, 1/8
                image = upright_rgb(opened, background)
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
