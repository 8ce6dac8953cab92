"""The worker implements exactly what the catalogue offers."""

from importlib import import_module
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter

from contract.catalogue import catalogue
from contract.comparison.encoder import Encoder
from contract.comparison.loss import Loss
from contract.comparison.tuple_checks import LOSS_SHAPES, TUPLES_ONLY
from worker import data, encoders, losses
from worker.data.registry import LOADERS
from worker.encoders.architectures import ARCHITECTURES
from worker.encoders.registry import SMALL_ENCODERS, TEXT_MODELS
from worker.errors import InputError
from worker.losses.given.registry import TUPLE_LOSSES
from worker.losses.registry import LOSSES


def test_losses() -> None:
    of_classes = [row for row in catalogue.LOSSES if row.kind not in TUPLES_ONLY]
    assert list(LOSSES) == [row.kind for row in of_classes]
    assert len(LOSSES) == 7
    assert set(TUPLE_LOSSES) == set(LOSS_SHAPES)
    assert {*LOSSES, *TUPLE_LOSSES} == {row.kind for row in catalogue.LOSSES}
    embeddings, labels = torch.randn(12, 4, requires_grad=True), torch.arange(12) % 3
    for row in of_classes:
        spec: Loss = TypeAdapter[Loss](Loss).validate_python({"kind": row.kind})
        loss = losses.build(spec, classes=3, dim=4)
        assert type(loss) is LOSSES[row.kind]
        loss(embeddings, labels).value.backward()


@pytest.mark.parametrize("kind", ["arcface", "center_contrastive"])
def test_a_loss_with_a_vector_for_each_class_asks_for_their_number_and_size(kind: str) -> None:
    with pytest.raises(InputError, match=r"classes: .* got None"):
        losses.build({"kind": kind}, dim=4)
    with pytest.raises(InputError, match=r"dim: .* got 0"):
        losses.build({"kind": kind}, classes=3, dim=0)
    assert [p.shape for p in losses.build({"kind": kind}, classes=3, dim=4).parameters()] == [
        (3, 4)
    ]


def test_data(tmp_path: Path) -> None:
    assert list(LOADERS) == sorted(row.kind for row in catalogue.DATA)
    assert len(LOADERS) == 21
    for row in catalogue.DATA:
        module = import_module(LOADERS[row.kind])
        assert callable(module.load), row.kind
    for kind in ("digits", "synthetic"):
        section = next(row.section for row in catalogue.DATA if row.kind == kind)
        assert data.load(section(), tmp_path).dataset().classes == 10


def test_encoders() -> None:
    kinds = [row.kind for row in catalogue.ENCODERS]
    assert [*SMALL_ENCODERS, *ARCHITECTURES, *TEXT_MODELS] == kinds
    assert len(kinds) == 9
    for module in TEXT_MODELS.values():
        assert callable(import_module(module).build_model)
    for row in catalogue.ENCODERS[:3]:
        spec = TypeAdapter[Encoder](Encoder).validate_python({"kind": row.kind})
        assert encoders.build(spec, (1, 16, 16))(torch.rand(2, 1, 16, 16)).shape == (2, 64)
