"""The matrix W against every triplet written out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from worker import losses
from worker.losses.distances import squared_distances
from worker.losses.triplet_weights import triplet_weights

PATHS = {"compare": 10**6, "sort": 0}


def brute_force(squared: Tensor, labels: Tensor, margin: float) -> Tensor:
    """W from the B x B x B mask of active triplets."""
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    active = squared[:, None, :] < (squared + margin)[:, :, None]  # a, p, n
    active &= positive[:, :, None] & ~same[:, None, :]
    return (active.sum(dim=2) - active.sum(dim=1)).to(squared.dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loop_up_to", PATHS.values(), ids=PATHS)
@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    size=st.integers(1, 40),
    classes=st.integers(1, 12),
    margin=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    whole=st.booleans(),
)
def test_bit_equal(
    *,
    dtype: torch.dtype,
    loop_up_to: int,
    seed: int,
    size: int,
    classes: int,
    margin: float,
    whole: bool,
) -> None:
    """Whole numbers in two dimensions are full of ties and duplicates."""
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(size, 2, generator=generator, dtype=torch.float64).to(dtype)
    squared = squared_distances(embeddings)
    if whole:
        squared = squared.round()
    labels = torch.randint(0, classes, (size,), generator=generator) - 3
    seen = triplet_weights(squared, labels, margin, loop_up_to=loop_up_to)
    assert seen.dtype == dtype
    assert torch.equal(seen, brute_force(squared, labels, margin))


@pytest.mark.parametrize("members", [LOOP_UP_TO - 1, LOOP_UP_TO, LOOP_UP_TO + 1, 100])
def test_bit_equal_at_the_change_of_paths(members: int) -> None:
    torch.manual_seed(members)
    squared = squared_distances(torch.randn(2 * members + 1, 8))
    labels = torch.tensor([0] * members + [1] * members + [2])
    assert torch.equal(triplet_weights(squared, labels, 1.0), brute_force(squared, labels, 1.0))


def test_rows_sum_to_zero() -> None:
    """Each active triplet counts once at its positive and once at its negative."""
    torch.manual_seed(0)
    weights = triplet_weights(squared_distances(torch.randn(200, 8)), torch.arange(200) % 7, 1.0)
    assert not weights.sum(dim=1).any()
    assert not weights.diagonal().any()


def test_a_batch_too_large_to_write_out() -> None:
    """Two classes of 1,024: 2.1 thousand million triplets, all active, each counted."""
    torch.manual_seed(0)
    embeddings = torch.randn(2048, 8).div_(100).requires_grad_()
    labels = torch.arange(2048) % 2
    output = losses.build({"kind": "triplet", "margin": 1000})(embeddings, labels)
    assert int(output.active) == int(output.valid) == 2048 * 1023 * 1024
    assert float(output.value.detach()) == pytest.approx(1000, rel=1e-4)
    output.value.backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()
