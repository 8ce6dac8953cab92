"""The matrix W against a mask of all triplets."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.examples import at_most
from worker import losses
from worker.losses import triplet_weights as triplet_weights_module
from worker.losses.batch import ClassMembers
from worker.losses.distances import squared_distances
from worker.losses.forms import TRIPLET_BLOCK
from worker.losses.triplet_weights import count_triplets, triplet_weights


def brute_force(
    distances: Tensor,
    labels: Tensor,
    margin: float,
    other_labels: Tensor | None = None,
    *,
    semi_hard: bool = False,
) -> Tensor:
    """Return W from the B x M x M mask of active triplets."""
    same = labels[:, None] == (labels if other_labels is None else other_labels)[None, :]
    positive = same.clone().fill_diagonal_(False) if other_labels is None else same
    active = distances[:, None, :] < (distances + margin)[:, :, None]  # a, p, n
    active &= positive[:, :, None] & ~same[:, None, :]
    if semi_hard:
        active &= distances[:, None, :] > distances[:, :, None]
    return (active.sum(dim=2) - active.sum(dim=1)).to(distances.dtype)


class MembersOnGpu(ClassMembers):
    """Class members that give all columns, as on a GPU."""

    def positive_columns(self) -> tuple[Tensor, Tensor]:
        """Return all columns."""
        return self.all_columns()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("semi_hard", [False, True])
@settings(max_examples=at_most(200), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    size=st.integers(1, 40),
    others=st.one_of(st.none(), st.integers(1, 40)),
    classes=st.integers(1, 12),
    margin=st.sampled_from([0.0, 1e-30, 0.5, 1.0, 3.0]),
    whole=st.booleans(),
    chunk=st.sampled_from([1, 100, TRIPLET_BLOCK]),
    kind=st.sampled_from([ClassMembers, MembersOnGpu]),
    ranks=st.booleans(),
)
def test_equals_the_mask_exactly(
    *,
    dtype: torch.dtype,
    semi_hard: bool,
    seed: int,
    size: int,
    others: int | None,
    classes: int,
    margin: float,
    whole: bool,
    chunk: int,
    kind: type[ClassMembers],
    ranks: bool,
) -> None:
    """Rounded distances in two dimensions have many ties and duplicates."""
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(size, 2, generator=generator, dtype=torch.float64).to(dtype)
    labels = torch.randint(0, classes, (size,), generator=generator) - 3
    if others is None:
        distances, other_labels = squared_distances(embeddings), None
    else:
        points = torch.randn(others, 2, generator=generator, dtype=torch.float64).to(dtype)
        distances = squared_distances(embeddings, points)
        other_labels = torch.randint(0, classes, (others,), generator=generator) - 3
    if whole:
        distances = distances.round()
    members = kind.from_labels(labels, other_labels)
    with pytest.MonkeyPatch.context() as patch:
        if ranks:
            patch.setattr(triplet_weights_module, "compares_thresholds", lambda *_: False)
        seen, active = count_triplets(distances, members, margin, semi_hard=semi_hard, chunk=chunk)
    expected = brute_force(distances, labels, margin, other_labels, semi_hard=semi_hard)
    assert seen.dtype == dtype
    assert torch.equal(seen, expected)
    assert torch.equal(active, expected.clamp(min=0).sum(dim=1).to(torch.int64))


@pytest.mark.parametrize("size", [1, 5, 70])
def test_equals_the_mask_exactly_over_several_chunks(size: int) -> None:
    torch.manual_seed(size)
    labels = torch.arange(140) // size
    squared = squared_distances(torch.randn(140, 8))
    seen, _ = count_triplets(squared, ClassMembers.from_labels(labels), 1.0, chunk=6000)
    assert torch.equal(seen, brute_force(squared, labels, 1.0))


def test_rows_sum_to_zero() -> None:
    """Each active triplet counts once at its positive and once at its negative."""
    torch.manual_seed(0)
    weights = triplet_weights(squared_distances(torch.randn(200, 8)), torch.arange(200) % 7, 1.0)
    assert weights.any()
    assert not weights.sum(dim=1).any()
    assert not weights.diagonal().any()


def test_a_batch_with_too_many_triplets_for_a_list() -> None:
    """Two classes of 1,024 items have 2.1 thousand million triplets; all are active and counted."""
    torch.manual_seed(0)
    embeddings = torch.randn(2048, 8).div_(100).requires_grad_()
    labels = torch.arange(2048) % 2
    output = losses.build({"kind": "triplet", "margin": 1000})(embeddings, labels)
    assert int(output.active) == int(output.valid) == 2048 * 1023 * 1024
    assert float(output.value.detach()) == pytest.approx(1000, rel=1e-4)
    output.value.backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()
