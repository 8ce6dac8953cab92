"""A multi-layer perceptron on flattened items."""

import math

from torch import nn

from contract.comparison.encoder import MlpEncoder


def build_mlp(spec: MlpEncoder, item_shape: tuple[int, ...]) -> nn.Sequential:
    """Hidden layers with ReLU, then a linear head; [B, *item_shape] -> [B, D]."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(item_shape)
    for _ in range(spec.layers):
        layers += [nn.Linear(width, spec.hidden), nn.ReLU()]
        width = spec.hidden
    return nn.Sequential(*layers, nn.Linear(width, spec.embedding_dim))
