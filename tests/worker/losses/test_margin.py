"""Tuples exactly at the margin are not active, whatever rounding makes of them."""

import math

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor

from contract.comparison.loss import Loss
from worker import losses
from worker.losses import LossOutput
from worker.together.labels import LabelRelations
from worker.together.stack import LOSSES
from worker.together.terms import LossInputs

ROTATIONS = 200
MARGIN = 0.3
LABELS = torch.tensor([0, 0, 1])


def _at_margin(kind: str, dtype: torch.dtype) -> list[Tensor]:
    """Anchor, positive and negative in many directions: the negative is just not too near to either
    of the others, so that no triplet and no negative pair has a loss."""
    batches = []
    for angle in torch.linspace(0, 2 * math.pi, ROTATIONS, dtype=torch.float64).tolist():
        along = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
        across = torch.tensor([-math.sin(angle), math.cos(angle)], dtype=torch.float64)
        half = 0.1
        far = 4 * half**2 + MARGIN if kind == "triplet" else MARGIN**2
        height = math.sqrt(far - half**2)
        batches.append(torch.stack((half * along, -half * along, height * across)).to(dtype))
    return batches


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("selection", ["all", "batch_hard"])
@pytest.mark.parametrize(("kind", "part"), [("contrastive", "negative"), ("triplet", "triplet")])
def test_a_tuple_at_the_margin_is_not_active(
    kind: str, part: str, selection: str, dtype: torch.dtype
) -> None:
    loss = losses.build({"kind": kind, "margin": MARGIN, "selection": selection})
    for points in _at_margin(kind, dtype):
        output: LossOutput = loss(points, LABELS)
        assert int(output.parts[part].active) == 0
        assert float(output.parts[part].total) == 0
        if output.selected:
            assert int(output.selected[part].active) == 0


@pytest.mark.parametrize(("kind", "part"), [("contrastive", "negative"), ("triplet", "triplet")])
def test_a_tuple_a_little_within_the_margin_is_active(kind: str, part: str) -> None:
    loss = losses.build({"kind": kind, "margin": MARGIN * (1 + 1e-4)})
    assert all(
        int(loss(points, LABELS).parts[part].active) == 2
        for points in _at_margin(kind, torch.float32)
    )


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_many_batches_at_once_count_alike(kind: str) -> None:
    points = torch.stack(_at_margin(kind, torch.float32))
    relations = LabelRelations.from_labels(LABELS.repeat(1, ROTATIONS, 1)).at(0)
    spec: Loss = TypeAdapter(Loss).validate_python({"kind": kind, "margin": MARGIN})
    together = LOSSES[kind]([spec] * ROTATIONS, points.device)
    part = "negative" if kind == "contrastive" else "triplet"
    _, active, _ = together.terms(LossInputs(points, relations, None, ())).parts[part]
    assert active.tolist() == [0] * ROTATIONS
