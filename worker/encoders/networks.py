"""A small convolutional network for small images.

No batch normalisation: an embedding must not depend on which other items are in its batch, or the
two arms' dynamics would differ by more than their loss.

A small convolutional network for small images.

No batch normalisation: an embedding must not depend on which other items are in its batch, or the
two arms' dynamics would differ by more than their loss.

A small convolutional network for log-mel spectrograms; no batch normalisation, as in convnet.

A multi-layer perceptron on flattened items.

What maps a backbone's features to embeddings.
"""

import math

from torch import Tensor, nn

from contract.comparison.encoder import AudioConvnetEncoder, ConvnetEncoder, MlpEncoder
from contract.comparison.encoder import Backbone as Spec

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
