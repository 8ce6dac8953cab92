"""Types of embeddings and labels: small integers, arrays, lists, low precision and autocast."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from contract.catalogue.catalogue import LOSSES
from contract.comparison.tuple_checks import TUPLES_ONLY
from worker import losses
from worker.losses import Loss, LossOutput, Part

KINDS = [row.kind for row in LOSSES if row.kind not in TUPLES_ONLY]
CLASSES, DIM = 4, 6
INTEGERS = (torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32)
each_kind = pytest.mark.parametrize("kind", KINDS)


def _loss(kind: str) -> Loss:
    torch.manual_seed(0)
    return losses.build({"kind": kind}, classes=CLASSES, dim=DIM)


def _batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(16, DIM, generator=generator), torch.arange(16) % CLASSES


def _output(loss: Loss, embeddings: Any, labels: Any) -> LossOutput:
    output: LossOutput = loss(embeddings, labels, generator=torch.Generator().manual_seed(2))
    return output


def _numbers(part: Part) -> list[float]:
    return [float(part.total), float(part.active), float(part.valid)]


def _same(one: LossOutput, other: LossOutput) -> None:
    assert one.value.dtype == other.value.dtype
    assert one.value.item() == other.value.item()
    assert {name: _numbers(part) for name, part in one.parts.items()} == {
        name: _numbers(part) for name, part in other.parts.items()
    }


@each_kind
@pytest.mark.parametrize("dtype", INTEGERS)
def test_labels_mean_the_same_in_every_type_of_integer(kind: str, dtype: torch.dtype) -> None:
    loss, (embeddings, labels) = _loss(kind), _batch()
    _same(_output(loss, embeddings, labels.to(dtype)), _output(loss, embeddings, labels))


@each_kind
def test_arrays_and_lists_are_taken(kind: str) -> None:
    loss, (embeddings, labels) = _loss(kind), _batch()
    expected = _output(loss, embeddings, labels)
    _same(_output(loss, embeddings.numpy(), labels.numpy()), expected)
    _same(_output(loss, embeddings.numpy(), labels.numpy().astype(np.uint16)), expected)
    _same(_output(loss, embeddings.tolist(), labels.tolist()), expected)


@each_kind
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_gives_the_value_and_gradient_of_float32(
    kind: str, dtype: torch.dtype
) -> None:
    loss, (embeddings, labels) = _loss(kind), _batch()
    low = embeddings.to(dtype).requires_grad_()
    full = embeddings.to(dtype).float().requires_grad_()
    expected = _output(loss, full, labels)
    expected.value.backward()
    with torch.autocast("cpu", dtype=dtype):
        inside = _output(loss, low, labels)
        _same(_output(loss, full, labels), expected)
    inside.value.backward()
    _same(inside, expected)
    _same(_output(loss, low, labels), expected)
    assert low.grad is not None
    assert full.grad is not None
    assert torch.equal(low.grad, full.grad.to(dtype))


@each_kind
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_plain_autocast_loop_trains(kind: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    encoder, loss = nn.Linear(DIM, DIM), _loss(kind)
    inputs, labels = _batch()
    optimizer = torch.optim.SGD([*encoder.parameters(), *loss.parameters()], lr=0.05)
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype):
            embeddings = encoder(inputs)
            assert embeddings.dtype == dtype
            value = _output(loss, embeddings, labels).value
        assert value.dtype == torch.float32
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    assert values[-1] < values[0]


@each_kind
def test_repr_shows_all_settings(kind: str) -> None:
    [row] = [row for row in LOSSES if row.kind == kind]
    shown = repr(_loss(kind))
    assert shown.startswith(type(_loss(kind)).__name__)
    for name in set(row.section.model_fields) - {"kind"}:
        assert f"{name}=" in shown
