"""Terms are summed and counted by their kind; wrong ones are refused with the field."""

from typing import Any

import pytest
import torch
from torch import Tensor

from worker.errors import InputError
from worker.losses.base import Part
from worker.plugins import Terms
from worker.plugins.terms import Summed, summed

VALUES = torch.tensor([[0.0, 0.0005, 2.0], [0.0, 0.0, 0.0]], requires_grad=True)
VALID = torch.tensor([[True, True, True], [True, False, False]])


def numbers(part: Part) -> tuple[float, int, int]:
    return round(float(part.total), 6), int(part.active), int(part.valid)


def by_kind(found: Summed) -> dict[str, tuple[float, int, int]]:
    return {name: numbers(part) for name, part in found.parts.items()}


def test_hinges_are_active_above_zero_and_others_above_a_thousandth() -> None:
    soft = summed(Terms(VALUES, VALID), 2)
    hinges = summed(Terms(VALUES, VALID, hinge=True, kind="triplet"), 2)
    assert by_kind(soft) == {"pair": (2.0005, 1, 4)}
    assert by_kind(hinges) == {"triplet": (2.0005, 2, 4)}
    assert float(soft.value.detach()) == pytest.approx(2.0005 / 4)
    assert soft.divisor is not None
    assert int(soft.divisor) == 4
    soft.value.backward()
    assert VALUES.grad is not None
    assert VALUES.grad.tolist() == [[0.25, 0.25, 0.25], [0.25, 0.0, 0.0]]


def test_anchors_are_the_first_axis_or_are_named() -> None:
    assert float(_known(summed(Terms(VALUES, VALID, hinge=True), 2).active_anchors)) == 0.5
    listed = Terms(torch.tensor([1.0, 0.0, 1.0]), anchors=torch.tensor([0, 2, 0]), hinge=True)
    assert float(_known(summed(listed, 4).active_anchors)) == 0.5
    assert summed(Terms(torch.ones(3)), 4).active_anchors is None
    assert summed(Terms(torch.ones(4), kind="proxy"), 4).active_anchors is None


def test_parts_of_several_kinds_are_told_apart() -> None:
    pulls = Terms(torch.tensor([1.0, 0.0]), kind="positive", hinge=True, anchors=_at(0, 1))
    pushes = Terms(torch.tensor([0.0, 0.0]), kind="negative", hinge=True, anchors=_at(0, 1))
    found = summed(
        Terms(
            pulls.values,
            kind="positive",
            hinge=True,
            anchors=_at(0, 1),
            value=torch.tensor(7.0),
            more=(pushes,),
        ),
        2,
    )
    assert by_kind(found) == {"positive": (1.0, 1, 2), "negative": (0.0, 0, 2)}
    assert float(found.value) == 7.0
    assert found.divisor is None
    assert float(_known(found.active_anchors)) == 0.5
    assert float(_known(found.pushing_anchors)) == 0.0


def test_of_no_tuples_the_mean_is_zero_with_a_gradient() -> None:
    values = torch.zeros(0, requires_grad=True)
    found = summed(Terms(values, kind="anchor"), 3)
    assert by_kind(found) == {"per_anchor": (0.0, 0, 0)}
    assert float(found.value.detach()) == 0.0
    assert found.value.requires_grad


def test_counted_terms_are_passed_on() -> None:
    one, two = torch.tensor(1), torch.tensor(2)
    value = torch.tensor(0.5, requires_grad=True)
    terms = Terms.counted(
        value, kind="triplet", total=torch.tensor(1.0), active=one, valid=two, mean=True
    )
    found = summed(terms, 3)
    assert by_kind(found) == {"triplet": (1.0, 1, 2)}
    assert found.value is value
    assert found.divisor is not None
    assert int(found.divisor) == 2
    assert found.active_anchors is None


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(torch.ones(2), kind="quadruplet"), "Terms.kind: expected one of pair, triplet"),
        (Terms(torch.ones(2, dtype=torch.int64)), "Terms.values: expected a tensor of floats"),
        (Terms(None), "Terms.values: expected a tensor of floats, got NoneType"),
        (Terms(torch.ones(2), torch.ones(3) > 0), r"Terms.valid: expected torch.bool of shape \[2"),
        (Terms(torch.ones(2), torch.ones(2)), "Terms.valid: expected torch.bool"),
        (Terms(torch.ones(2), anchors=torch.ones(2)), "Terms.anchors: expected torch.int64"),
        (Terms(torch.ones(2), value=torch.ones(2)), "Terms.value: expected one number"),
    ],
)
def test_terms_that_do_not_fit_are_refused(terms: Terms, said: str) -> None:
    with pytest.raises(InputError, match=said):
        summed(terms, 2)


def _at(*places: int) -> Tensor:
    return torch.tensor(places)


def _known(share: Any) -> Tensor:
    assert share is not None
    found: Tensor = share
    return found
