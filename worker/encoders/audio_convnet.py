"""A small convolutional network for log-mel spectrograms; no batch normalisation, as in convnet."""

from torch import Tensor, nn

from contract.comparison.encoder import AudioConvnetEncoder


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
