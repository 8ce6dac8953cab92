"""Encoders: shapes, the unit sphere, repeatable weights, and learning."""

import pytest
import torch
from torch import Tensor, nn

from contract.comparison.data import DigitsData
from contract.comparison.encoder import (
    AudioConvnetEncoder,
    ConvnetEncoder,
    Encoder,
    MlpEncoder,
    Resnet18Encoder,
)
from contract.comparison.training import ShuffleSampler
from worker import data, encoders, losses, measure
from worker.trainer import batches

CASES = [
    (MlpEncoder(), (1, 8, 8)),
    (MlpEncoder(embedding_dim=3, hidden=5, layers=4), (128,)),
    (ConvnetEncoder(), (1, 8, 8)),
    (ConvnetEncoder(embedding_dim=7, channels=4), (3, 32, 32)),
    (ConvnetEncoder(channels=4), (1, 28, 28)),
    (AudioConvnetEncoder(), (1, 64, 64)),
    (AudioConvnetEncoder(channels=4, embedding_dim=5), (1, 16, 16)),
    (Resnet18Encoder(weights="random"), (512,)),
    (Resnet18Encoder(weights="random", hidden=9), (512,)),
]


def build(spec: Encoder, item_shape: tuple[int, ...], seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return encoders.build(spec, item_shape)


@pytest.mark.parametrize(("spec", "item_shape"), CASES, ids=str)
def test_embeddings(spec: Encoder, item_shape: tuple[int, ...]) -> None:
    items = torch.rand(6, *item_shape)
    unit = build(spec, item_shape)(items)
    assert unit.shape == (6, spec.embedding_dim)
    torch.testing.assert_close(unit.norm(dim=1), torch.ones(6))
    raw = build(spec.model_copy(update={"normalize": False}), item_shape)(items)
    torch.testing.assert_close(nn.functional.normalize(raw, dim=1), unit)
    assert (raw.norm(dim=1) - 1).abs().max() > 0.01


@pytest.mark.parametrize(("spec", "item_shape"), CASES, ids=str)
def test_an_embedding_does_not_depend_on_its_batch(
    spec: Encoder, item_shape: tuple[int, ...]
) -> None:
    encoder, items = build(spec, item_shape), torch.rand(6, *item_shape)
    torch.testing.assert_close(encoder(items)[2:3], encoder(items[2:3]))
    torch.testing.assert_close(encoder.eval()(items), encoder.train()(items))


@pytest.mark.parametrize(("spec", "item_shape"), CASES, ids=str)
def test_the_seed_decides_the_weights(spec: Encoder, item_shape: tuple[int, ...]) -> None:
    def weights(seed: int) -> Tensor:
        return nn.utils.parameters_to_vector(build(spec, item_shape, seed).parameters())

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_layers_and_channels() -> None:
    linear = [
        m
        for m in build(MlpEncoder(hidden=5, layers=3), (10,)).modules()
        if isinstance(m, nn.Linear)
    ]
    assert [(m.in_features, m.out_features) for m in linear] == [(10, 5), (5, 5), (5, 5), (5, 64)]
    alone = [m for m in build(MlpEncoder(layers=0), (10,)).modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in alone] == [(10, 64)]
    blocks = [
        m
        for m in build(ConvnetEncoder(channels=8), (3, 9, 9)).modules()
        if isinstance(m, nn.Conv2d)
    ]
    assert [(m.in_channels, m.out_channels) for m in blocks] == [(3, 8), (8, 16)]


@pytest.mark.parametrize("spec", [MlpEncoder(), ConvnetEncoder()], ids=["mlp", "convnet"])
def test_bytes_are_scaled_by_255(spec: Encoder) -> None:
    images = torch.randint(0, 256, (6, 3, 12, 12), dtype=torch.uint8)
    encoder = build(spec, (3, 12, 12))
    torch.testing.assert_close(encoder(images), encoder(images.float() / 255))


def test_an_audio_embedding_depends_on_the_sound_and_hardly_on_its_time() -> None:
    encoder = build(AudioConvnetEncoder(), (1, 64, 64))
    heard = torch.zeros(1, 1, 64, 64)
    heard[..., 20:30, 16:24] = 1
    later, higher = heard.roll(8, 3), heard.roll(8, 2)
    same, other = ((encoder(heard) - encoder(one)).norm() for one in (later, higher))
    assert same < 0.2 * other


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
@pytest.mark.parametrize("spec", [MlpEncoder(), ConvnetEncoder()], ids=["mlp", "convnet"])
def test_learns_digits(spec: Encoder, kind: str) -> None:
    """A few epochs raise MAP@R on held-out digits from about 0.5 to 0.9."""
    digits = data.load(DigitsData()).dataset()
    encoder, loss = build(spec, digits.item_shape), losses.build({"kind": kind})
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)

    def quality() -> float:
        with torch.no_grad():
            embeddings = encoder(digits.validation.items)
        return measure.retrieval(embeddings, digits.validation.labels)["retrieval.map_at_r"]

    untrained = quality()
    for epoch in range(1, 9):
        for batch in batches.epoch_batches(
            digits.train.labels, sampler_spec=ShuffleSampler(), batch_size=64, seed=0, epoch=epoch
        ):
            optimizer.zero_grad()
            output = loss(encoder(digits.train.items[batch]), digits.train.labels[batch])
            output.value.backward()
            optimizer.step()
    assert untrained < 0.7
    assert quality() > 0.85
