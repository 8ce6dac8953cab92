"""A loss between two modalities, in both directions."""

import pytest
import torch
from torch import Tensor

from contract.catalogue import catalogue
from contract.comparison.tuple_checks import TUPLES_ONLY
from worker import losses
from worker.losses import two_ways

LABELS = torch.arange(12) % 3
KINDS = [row.kind for row in catalogue.LOSSES if row.kind not in TUPLES_ONLY]


def points(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(made, dim=1).requires_grad_()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_value_is_the_sum_of_both_directions(kind: str, reduction: str) -> None:
    loss = losses.build({"kind": kind, "reduction": reduction}, classes=3, dim=5).double()
    audio, visual = points(1), points(2)
    both = two_ways(loss, audio, visual, LABELS, generator=torch.Generator().manual_seed(0))
    draws = torch.Generator().manual_seed(0)
    there = loss(audio, LABELS, others=visual, other_labels=LABELS, generator=draws)
    back = loss(visual, LABELS, others=audio, other_labels=LABELS, generator=draws)
    assert both.value.item() == pytest.approx((there.value + back.value).item())
    assert both.valid == there.valid + back.valid
    assert both.active == there.active + back.active
    assert both.active_anchors.item() == pytest.approx(
        (there.active_anchors + back.active_anchors).item() / 2
    )
    for name, part in both.parts.items():
        assert part.total.item() == pytest.approx(
            (there.parts[name].total + back.parts[name].total).item()
        )
    both.value.backward()
    assert audio.grad is not None
    assert visual.grad is not None


def test_which_modality_comes_first_does_not_matter() -> None:
    loss = losses.build({"kind": "triplet", "margin": 0.3, "reduction": "mean_active"})
    one, other = points(1), points(2)
    assert two_ways(loss, one, other, LABELS).value.item() == pytest.approx(
        two_ways(loss, other, one, LABELS).value.item()
    )


def test_mean_active_is_twice_the_mean_over_both_directions() -> None:
    loss = losses.build({"kind": "triplet", "margin": 0.3, "reduction": "mean_active"})
    both = two_ways(loss, points(1), points(2), LABELS)
    total = sum(part.total.item() for part in both.parts.values())
    assert both.value.item() == pytest.approx(2 * total / both.active.item())


def test_selected_tuples_add_up() -> None:
    loss = losses.build({"kind": "triplet", "margin": 0.3, "selection": "batch_hard"})
    both = two_ways(loss, points(1), points(2), LABELS)
    assert both.selected is not None
    assert both.selected["triplet"].valid == 24
    assert both.valid == 2 * 12 * 4 * 8


def test_equal_points_of_both_modalities_cost_no_positive_pair() -> None:
    """Both modalities of a class are at one point, so every positive pair has distance 0."""
    centres = torch.eye(3, dtype=torch.float64)[LABELS]
    loss = losses.build({"kind": "contrastive", "margin": 1.0})
    both = two_ways(loss, centres, centres.clone(), LABELS)
    assert both.value.item() == pytest.approx(0)
    assert both.parts["negative"].active == 0
