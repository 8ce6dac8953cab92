"""A rough estimate of the memory that one run needs: its items, its network and one batch.

The process itself, with its libraries, is not counted. A trainer measures its own needs before its
first step (worker.trainer.memory_estimate); tests compare both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from contract.comparison.data import (
    Cifar10Data,
    Cifar100Data,
    Data,
    DigitsData,
    FeaturesData,
    PairedFeaturesData,
    SpokenDigitsData,
    SyntheticData,
    TextData,
)
from contract.comparison.data.kinds import FineGrained, ImageFolderData
from contract.comparison.encoder import (
    AudioConvnetEncoder,
    BackboneEncoder,
    ConvnetEncoder,
    Encoder,
    MlpEncoder,
    TextEncoder,
    is_frozen,
)
from contract.comparison.loss import KINDS_WITH_PARAMETERS
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import Optimizer, SgdOptimizer
from contract.preview.splits import SplitSizes

FLOAT: Final = 4
"""Bytes of a number."""
CROP: Final = (3, 224, 224)
"""The images that backbones take."""
POOLED: Final = 16
"""Numbers of a channel before the head of a small convnet."""
POINT_BYTES: Final = 32
"""Bytes for each number of an embedding while it is measured."""
PAIR_BYTES: Final = 8
"""Bytes for each ordered pair of a batch: losses work in blocks."""


@dataclass(frozen=True)
class Backbone:
    """What a backbone takes, as measured by torch."""

    features: int
    weights: int
    trained_bytes: int
    """Of one image, kept for the backward pass, where all of it trains."""
    forward_bytes: int
    """Of one image, forward alone."""


BACKBONES: Final = {
    "resnet18": Backbone(512, 11_176_512, 22_200_000, 7_200_000),
    "resnet50": Backbone(2_048, 23_508_032, 85_900_000, 11_200_000),
    "vit_b_32": Backbone(768, 87_455_232, 30_400_000, 2_800_000),
    "efficientnet_lite0": Backbone(1_280, 3_371_024, 79_500_000, 14_100_000),
}


TEXT_FEATURES: Final = 256
"""Of the bundled static encoder."""
TEXT_WEIGHTS: Final = 32_000 * TEXT_FEATURES
CHARACTERS_A_TOKEN: Final = 3
GENERATED_CHARACTERS: Final = 150
"""Of the longest generated texts."""


@dataclass(frozen=True)
class Memory:
    """Bytes that a run needs."""

    items: int
    """Of all splits."""
    network: int
    """Weights, gradients, the optimiser's numbers, and the weights of the best epoch."""
    batch: int
    """Activations and pairs of a batch, or all embeddings while they are measured."""

    @property
    def total(self) -> int:
        """At the peak: items are there twice while they are split."""
        return max(2 * self.items, self.items + self.network + self.batch)


def memory(
    spec: ComparisonSpec, arm: Arm, splits: SplitSizes, shape: Mapping[str, int]
) -> Memory | None:
    """Return the memory that a run of an arm needs; None if the sizes of its data are unknown.

    Args:
        spec: of the comparison.
        arm: of the spec.
        splits: of its runs.
        shape: numbers in a row of uploaded features: `features`, or `audio` and `visual`; of
            uploaded texts the characters of the longest, `longest`.
    """
    parts = [splits.train, splits.validation, *([splits.test] if splits.test else [])]
    sizes = [part.items.most for part in parts if part.items is not None]
    texts = isinstance(spec.encoder, TextEncoder)
    shapes = _text_shapes(spec, shape) if texts else _item_shapes(spec.data, shape)
    if len(sizes) < len(parts) or shapes is None:
        return None
    encoders = [spec.encoder, *([spec.visual_encoder] if spec.visual_encoder else [])]
    training = spec.training_of(arm)
    item_bytes = sum(
        _held_bytes(spec.data, own, encoder) for own, encoder in zip(shapes, encoders, strict=True)
    )
    nets = [
        _Network.of_texts(encoder, own[0])
        if isinstance(encoder, TextEncoder)
        else _Network.of(encoder, own)
        for own, encoder in zip(shapes, encoders, strict=True)
    ]
    trained = sum(net.trained for net in nets)
    frozen = sum(net.frozen for net in nets)
    classes = splits.train.classes.most if splits.train.classes else 0
    if arm.loss.kind in KINDS_WITH_PARAMETERS:
        trained += classes * spec.encoder.embedding_dim
    size, dim = training.batch_size, spec.encoder.embedding_dim * len(nets)
    step = size * sum(net.step_bytes for net in nets) + PAIR_BYTES * size * size
    measured = POINT_BYTES * dim * sum(sizes)
    weights = trained * (2 + _state_numbers(training.optimizer)) + frozen
    return Memory(
        item_bytes * sum(sizes),
        FLOAT * (weights + trained + frozen),
        max(step + FLOAT * 2 * trained, measured),
    )


def _text_shapes(spec: ComparisonSpec, shape: Mapping[str, int]) -> list[Sequence[int]] | None:
    """Return the number of tokens of the longest text; None if it is unknown, or the model is one
    of one's own, which only the workers know."""
    encoder = spec.encoder
    characters = GENERATED_CHARACTERS
    if isinstance(spec.data, TextData):
        characters = shape.get("longest", 0)
    if not isinstance(encoder, TextEncoder) or encoder.model or not characters:
        return None
    return [(min(encoder.max_tokens, 1 + characters // CHARACTERS_A_TOKEN),)]


def _item_shapes(data: Data, shape: Mapping[str, int]) -> list[Sequence[int]] | None:
    """Return the shape of an item in each modality; None if it is unknown."""
    match data:
        case SyntheticData():
            return [(data.dim,)]
        case FeaturesData():
            return [(shape["features"],)] if "features" in shape else None
        case PairedFeaturesData():
            known = "audio" in shape and "visual" in shape
            return [(shape["audio"],), (shape["visual"],)] if known else None
        case SpokenDigitsData():
            side = 8 if data.images == "digits" else 28
            return [(1, data.mel_bands, data.frames), (1, side, side)]
        case _:
            return [_image_shape(data)]


def _image_shape(data: Data) -> tuple[int, int, int]:
    if isinstance(data, FineGrained | ImageFolderData):
        return 3, data.image_size, data.image_size
    if isinstance(data, Cifar10Data | Cifar100Data):
        return 3, 32, 32
    return (1, 8, 8) if isinstance(data, DigitsData) else (1, 28, 28)


def _held_bytes(data: Data, shape: Sequence[int], encoder: Encoder) -> int:
    """Return the bytes of an item as a trainer holds it."""
    if isinstance(encoder, TextEncoder):
        return FLOAT * (TEXT_FEATURES if is_frozen(encoder) else shape[0])
    if isinstance(encoder, BackboneEncoder):
        if encoder.tuning == "frozen":
            return FLOAT * BACKBONES[encoder.kind].features
        if isinstance(data, FineGrained | ImageFolderData):
            return _product(CROP)
    # Images are bytes, but for the bundled digits; spectrograms and vectors are floats.
    digits = isinstance(data, DigitsData) or shape[-1] == 8
    is_bytes = len(shape) == 3 and shape[0] in (1, 3) and shape[1] == shape[2] and not digits
    if isinstance(data, SpokenDigitsData) and shape[1] == data.mel_bands:
        is_bytes = False
    return _product(shape) * (1 if is_bytes else FLOAT)


@dataclass(frozen=True)
class _Network:
    trained: int
    """Weights that train."""
    frozen: int
    step_bytes: int
    """Bytes of one item in a training step."""

    @classmethod
    def of_texts(cls, encoder: TextEncoder, tokens: int) -> "_Network":
        """Return the bundled static model with a head, or the head alone."""
        widths = [TEXT_FEATURES, *([encoder.hidden] if encoder.hidden else [])]
        weights, step = _layers([*widths, encoder.embedding_dim])
        if is_frozen(encoder):
            return cls(weights, 0, step)
        # Of each token its number, its row and its place.
        return cls(weights + TEXT_WEIGHTS, 0, step + FLOAT * (TEXT_FEATURES + 5 * tokens))

    @classmethod
    def of(cls, encoder: Encoder, shape: Sequence[int]) -> "_Network":
        assert not isinstance(encoder, TextEncoder), "texts have networks of their own"
        dim = encoder.embedding_dim
        if isinstance(encoder, BackboneEncoder):
            known = BACKBONES[encoder.kind]
            head = _layers([known.features, *([encoder.hidden] if encoder.hidden else []), dim])
            if encoder.tuning == "frozen":
                return cls(head[0], 0, head[1])
            if encoder.tuning == "head":
                return cls(head[0], known.weights, head[1] + known.forward_bytes)
            return cls(head[0] + known.weights, 0, head[1] + known.trained_bytes)
        if isinstance(encoder, MlpEncoder):
            return cls(*_of(_layers([_product(shape), *[encoder.hidden] * encoder.layers, dim])))
        blocks = 3 if isinstance(encoder, AudioConvnetEncoder) else 2
        return cls(*_of(_convolutions(encoder, shape, blocks)))


def _of(counted: tuple[int, int]) -> tuple[int, int, int]:
    return counted[0], 0, counted[1]


def _layers(widths: Sequence[int]) -> tuple[int, int]:
    """Return the weights of linear layers, and the bytes of one item in a step."""
    weights = sum((a + 1) * b for a, b in pairwise(widths))
    return weights, FLOAT * (widths[0] + 3 * sum(widths[1:]))


def _convolutions(
    encoder: ConvnetEncoder | AudioConvnetEncoder, shape: Sequence[int], blocks: int
) -> tuple[int, int]:
    """Return the weights of a small convnet, and the bytes of one item in a step."""
    channels, height, width = shape
    weights = numbers = 0
    for block in range(blocks):
        wide = encoder.channels * 2**block
        weights += (9 * channels + 1) * wide
        numbers += wide * height * width
        channels, height, width = wide, height // 2, width // 2
    pooled = channels * (height if blocks == 3 else POOLED)
    weights += (pooled + 1) * encoder.embedding_dim
    return weights, FLOAT * (_product(shape) + 3 * numbers)


def _product(shape: Sequence[int]) -> int:
    total = 1
    for one in shape:
        total *= one
    return total


def _state_numbers(optimizer: Optimizer) -> int:
    """Return how many numbers an optimiser keeps for each weight."""
    if isinstance(optimizer, SgdOptimizer):
        return int(optimizer.momentum > 0)
    return 2
