"""The memory that is foretold is near what a trainer estimates from its own tensors."""

from typing import Any

import pytest
import torch

from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.preview.class_sizes import ClassSizes, class_sizes
from contract.preview.figures import figures
from contract.preview.memory import BACKBONES, Memory, memory
from tests.support.specs import small
from worker import losses
from worker.data import Dataset, Split
from worker.reporting.progress import SILENT
from worker.trainer.memory_estimate import training_memory
from worker.trainer.model import build_model

NEAR = 2.0
"""The estimate is within half and twice."""


def of(spec: ComparisonSpec, sizes: ClassSizes | None = None, **shape: int) -> Memory | None:
    splits = figures(spec, sizes or class_sizes(spec.data)).splits
    return memory(spec, spec.arms[0], splits, shape)


def measured(spec: ComparisonSpec, item: torch.Tensor) -> int:
    """Return what a trainer estimates for items of this shape: its data, its model and the rest."""
    foretold = figures(spec, class_sizes(spec.data)).splits
    counts = [part.items.least for part in (foretold.train, foretold.validation) if part.items]
    assert foretold.test is not None
    assert foretold.test.items is not None
    counts.append(foretold.test.items.least)
    parts = [
        Split(item.expand(count, *item.shape[1:]).contiguous(), torch.arange(count) % 10)
        for count in counts
    ]
    data = Dataset(parts[0], parts[1], parts[2], 10)
    training = spec.training_of(spec.arms[0])
    model = build_model(spec, data, SILENT)
    loss = losses.build(spec.arms[0].loss, classes=10, dim=spec.encoder.embedding_dim)
    batch = torch.arange(training.batch_size)
    needs = training_memory(model, loss, data, training, batch)
    own = sum(weight.nbytes for weight in model.parameters())
    return sum(part.items.nbytes for part in parts) + own + sum(needs.values())


CONVNET = {"kind": "convnet", "embedding_dim": 64}
MLP = {"kind": "mlp", "hidden": 512, "layers": 3, "embedding_dim": 64}


@pytest.mark.parametrize(
    ("encoder", "loss", "batch", "data", "item"),
    [
        (MLP, "contrastive", 64, {"kind": "digits"}, torch.zeros(1, 1, 8, 8)),
        (CONVNET, "contrastive", 512, {"kind": "digits"}, torch.zeros(1, 1, 8, 8)),
        (
            CONVNET,
            "triplet",
            256,
            {"kind": "mnist", "train_items": 1000},
            torch.zeros(1, 1, 28, 28, dtype=torch.uint8),
        ),
        (
            {"kind": "mlp", "hidden": 8, "embedding_dim": 8},
            "contrastive",
            1024,
            {"kind": "synthetic", "dim": 8, "per_class": 400},
            torch.zeros(1, 8),
        ),
        (
            {"kind": "static_text", "embedding_dim": 64},
            "contrastive",
            256,
            {"kind": "generated_text", "per_intent": 200},
            torch.zeros(1, 256),
        ),
        (
            {"kind": "static_text", "embedding_dim": 64, "tuning": "full"},
            "contrastive",
            64,
            {"kind": "generated_text"},
            torch.arange(36, dtype=torch.int32)[None],
        ),
    ],
)
def test_it_is_near_what_the_trainer_estimates(
    encoder: dict[str, Any], loss: str, batch: int, data: dict[str, Any], item: torch.Tensor
) -> None:
    arms = [{"name": "a", "loss": {"kind": loss}}]
    training = {"epochs": 2, "batch_size": batch}
    spec = parse_spec(small(encoder=encoder, data=data, training=training, arms=arms))
    found = of(spec)
    assert found is not None
    true = measured(spec, item)
    assert true / NEAR <= found.total <= true * NEAR, f"{found}, {true}"


def test_a_frozen_backbone_holds_features_only() -> None:
    encoders = {
        tuning: {"kind": "resnet18", "tuning": tuning, "embedding_dim": 64}
        for tuning in ("frozen", "head", "full")
    }
    data = {"kind": "cub200", "split": "item"}
    found = {
        tuning: of(parse_spec(small(encoder=encoder, data=data)))
        for tuning, encoder in encoders.items()
    }
    frozen, head, full = found["frozen"], found["head"], found["full"]
    assert frozen is not None
    assert head is not None
    assert full is not None
    assert frozen.items == pytest.approx(11_788 * 512 * 4, rel=0.01)
    assert head.items == pytest.approx(11_788 * 3 * 224**2, rel=0.01)
    assert full.network > 4 * 4 * BACKBONES["resnet18"].weights
    assert frozen.batch <= head.batch < full.batch
    assert frozen.total < head.total


def test_it_is_unknown_where_the_data_are() -> None:
    data = {"kind": "features", "dataset": "d1"}
    spec = parse_spec(small(data=data))
    sizes = ClassSizes((20,) * 10)
    assert of(spec, sizes) is None, "without the number of features"
    assert of(parse_spec(small(data={"kind": "features", "file": "/a.npz"})), features=4) is None
    known = of(spec, sizes, features=100)
    assert known is not None
    assert known.items == 200 * 100 * 4


def test_of_texts_the_longest_counts_where_all_of_a_model_trains() -> None:
    data = {"kind": "text", "dataset": "d1"}
    encoder: dict[str, Any] = {"kind": "static_text", "tuning": "full"}
    sizes = ClassSizes((20,) * 10)
    spec = parse_spec(small(data=data, encoder=encoder))
    assert of(spec, sizes) is None, "without the length of the texts"
    short, long = of(spec, sizes, longest=60), of(spec, sizes, longest=20_000)
    assert short is not None
    assert long is not None
    assert (short.items, long.items) == (200 * 21 * 4, 200 * 256 * 4)
    own = parse_spec(small(data=data, encoder={**encoder, "model": "mine"}))
    assert of(own, sizes, longest=60) is None, "only workers know a model of one's own"
