"""Inputs that a loss refuses with which message, and what it returns where checks are off."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from worker import losses
from worker.errors import InputError

KINDS = ("contrastive", "triplet")
SELECTIONS = ("all", "sampled", "semi_hard", "batch_hard", "distance_weighted")


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (torch.zeros(4), torch.zeros(4).long(), r"embeddings: .*\[B, D\].* \[4\]"),
        (torch.zeros(0, 4), torch.zeros(0).long(), r"embeddings: .*B >= 1.* \[0, 4\]"),
        (torch.zeros(4, 2, dtype=torch.cfloat), torch.zeros(4).long(), r"embeddings: .*complex64"),
        ([["a"]], torch.zeros(1).long(), r"embeddings: expected a tensor, .* got list"),
        (torch.zeros(4, 2), ["a", "b", "c", "d"], r"labels: expected a tensor, .* got list"),
        (torch.zeros(4, 2), None, r"labels: expected a tensor, .* got NoneType"),
        (torch.zeros(4, 2).long(), torch.zeros(4).long(), r"embeddings: .*torch.int64"),
        (torch.zeros(4, 2), torch.zeros(3).long(), r"labels: .*\[4\].* \[3\]"),
        (torch.zeros(4, 2), torch.zeros(4, 1).long(), r"labels: .*\[4\].* \[4, 1\]"),
        (torch.zeros(4, 2), torch.zeros(4), r"labels: .*integers.* torch.float32"),
        (torch.zeros(4, 2), torch.zeros(4).bool(), r"labels: .*integers.* torch.bool"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_input_errors_name_what_was_seen(
    kind: str, embeddings: object, labels: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        losses.build({"kind": kind})(embeddings, labels)


@pytest.mark.parametrize(
    ("others", "other_labels", "message"),
    [
        (torch.zeros(3, 2), None, r"other_labels: .*None"),
        (None, torch.zeros(3).long(), r"others: .*None"),
        (torch.zeros(3, 5), torch.zeros(3).long(), r"others: .*\[M, 2\].* \[3, 5\]"),
        (torch.zeros(3, 2).double(), torch.zeros(3).long(), r"others: .*torch.float64"),
        (torch.zeros(3, 2), torch.zeros(4).long(), r"other_labels: .*\[3\].* \[4\]"),
        (torch.full((3, 2), torch.nan), torch.zeros(3).long(), r"others: 3 of 3 rows"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_input_errors_of_another_modality_name_what_was_seen(
    kind: str, others: Tensor | None, other_labels: Tensor | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        losses.build({"kind": kind})(
            torch.zeros(4, 2), torch.zeros(4).long(), others=others, other_labels=other_labels
        )


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_are_not_finite_are_counted(kind: str, value: float) -> None:
    embeddings = torch.zeros(4, 2)
    embeddings[1:3, 0] = value
    with pytest.raises(InputError, match="embeddings: 2 of 4 rows are not finite"):
        losses.build({"kind": kind})(embeddings, torch.zeros(4).long())


@pytest.mark.parametrize("kind", KINDS)
def test_large_numbers_whose_sum_overflows_are_finite(kind: str) -> None:
    embeddings = torch.full((4, 2), 3e38)
    output = losses.build({"kind": kind, "distance": "cosine"})(embeddings, torch.arange(4) % 2)
    assert int(output.valid) > 0


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_unchecked_input_that_is_not_finite_gives_a_value_that_is_not_finite(
    kind: str, selection: str, distance: str, others: bool
) -> None:
    """Also where the broken item is in no tuple: a class of one, with no tuple for its pair."""
    loss = losses.build({"kind": kind, "selection": selection, "distance": distance})
    embeddings = torch.randn(7, 3)
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2])
    for row, value in ((6, torch.nan), (0, torch.inf)):
        broken = embeddings.clone()
        broken[row, 1] = value
        broken.requires_grad_()
        if others:
            output = loss(
                embeddings, labels, others=broken, other_labels=labels, check_values=False
            )
        else:
            output = loss(broken, labels, check_values=False)
        assert not output.value.isfinite()
        output.value.backward()


def test_build_refuses_invalid_settings() -> None:
    with pytest.raises(ValidationError, match="margin"):
        losses.build({"kind": "triplet", "margin": -1})
    with pytest.raises(ValidationError, match="selection"):
        losses.build({"kind": "contrastive", "selection": "hardest"})
    with pytest.raises(ValidationError, match="kind"):
        losses.build({"kind": "quadruplet"})
