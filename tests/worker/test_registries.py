"""Whatever the catalogue offers, the worker can do; and nothing else."""

from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter

from contract import catalogue
from contract.data import DigitsData, MnistData, SyntheticData
from contract.encoder import ConvnetEncoder, MlpEncoder
from contract.loss import Loss
from tests.support import tiny_mnist
from worker import data, encoders, losses
from worker.data.registry import DATA
from worker.encoders.registry import ENCODERS
from worker.errors import InputError
from worker.losses.registry import LOSSES


def test_losses() -> None:
    assert list(LOSSES) == [row.kind for row in catalogue.LOSSES]
    assert len(LOSSES) == 7
    embeddings, labels = torch.randn(12, 4, requires_grad=True), torch.arange(12) % 3
    for row in catalogue.LOSSES:
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
    assert list(DATA) == [row.kind for row in catalogue.DATA]
    assert len(DATA) == 3
    tiny_mnist.write(tmp_path)
    for row in catalogue.DATA:
        spec = row.section()
        assert isinstance(spec, DigitsData | MnistData | SyntheticData)
        assert data.load(spec, tmp_path).classes == 10


def test_encoders() -> None:
    assert set(ENCODERS) == {row.kind for row in catalogue.ENCODERS}
    assert len(ENCODERS) == len(catalogue.ENCODERS) == 2
    for row in catalogue.ENCODERS:
        spec = row.section()
        assert isinstance(spec, MlpEncoder | ConvnetEncoder)
        assert encoders.build(spec, (1, 8, 8))
