"""The tuples that are foretold are those that the losses find in batches."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from contract.comparison.loss import KINDS_WITH_PARAMETERS, Loss
from contract.comparison.training import MPerClassSampler, Sampler, ShuffleSampler
from contract.preview.batches import UNITS, batch_tuples
from worker.losses.cross_modal import two_ways
from worker.losses.registry import build
from worker.trainer.batches import epoch_batches

LOSS: TypeAdapter[Any] = TypeAdapter(Loss)
COUNTS = (30, 12, 7, 25, 1)
SIZE = 12


def batches(sampler: Sampler) -> list[torch.Tensor]:
    """Return the labels of many batches."""
    labels = torch.repeat_interleave(torch.arange(len(COUNTS)), torch.tensor(COUNTS))
    return [
        labels[batch]
        for epoch in range(1, 41)
        for batch in epoch_batches(
            labels, sampler_spec=sampler, batch_size=SIZE, seed=0, epoch=epoch
        )
    ]


def found(loss: Any, labels: torch.Tensor, *, two: bool) -> int:
    """Return the number of tuples that a loss finds in a batch."""
    generator = torch.Generator().manual_seed(0)
    built = build(loss, classes=len(COUNTS), dim=4)
    points = [torch.randn(len(labels), 4, generator=generator) for _ in range(2)]
    if two:
        output = two_ways(built, points[0], points[1], labels, generator=generator)
    else:
        output = built(points[0], labels, generator=generator)
    if loss.kind not in KINDS_WITH_PARAMETERS:
        return int(output.valid)
    # Items with class vectors: both directions count the items of both modalities.
    return int(output.parts["softmax"].valid) // (2 if two else 1)


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("kind", UNITS)
@pytest.mark.parametrize("sampler", [ShuffleSampler(), MPerClassSampler(m=4)])
def test_tuples_are_those_of_the_loss(kind: str, sampler: Sampler, two: bool) -> None:
    loss = LOSS.validate_python({"kind": kind})
    tuples = batch_tuples(loss, sampler, SIZE, COUNTS, modalities=2 if two else 1)
    assert tuples is not None
    random = tuples.mean and kind not in KINDS_WITH_PARAMETERS
    counts = [found(loss, labels, two=two) for labels in batches(sampler)[: 100 if random else 3]]
    if random:
        assert tuples.total == pytest.approx(sum(counts) / len(counts), rel=0.05)
    else:
        assert set(counts) == {tuples.total}


def test_pairs_of_a_batch_are_positive_or_negative() -> None:
    loss = LOSS.validate_python({"kind": "triplet"})
    tuples = batch_tuples(loss, MPerClassSampler(m=4), 32, None)
    assert tuples is not None
    assert (tuples.unit, tuples.total) == ("triplets", 32 * 3 * 28)
    assert (tuples.positive_pairs, tuples.negative_pairs) == (8 * 6, 32 * 31 / 2 - 8 * 6)


def test_tuples_of_random_batches_need_class_sizes() -> None:
    loss = LOSS.validate_python({"kind": "contrastive"})
    assert batch_tuples(loss, ShuffleSampler(), 32, None) is None
