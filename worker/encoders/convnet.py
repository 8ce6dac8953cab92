"""A small convolutional network for small images.

No batch normalisation: an embedding must not depend on which other items are in its batch, or the
two arms' dynamics would differ by more than their loss.
"""

from torch import nn

from contract.comparison.encoder import ConvnetEncoder

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
