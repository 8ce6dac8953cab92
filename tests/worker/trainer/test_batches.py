"""Batches: the same for every arm of a seed, with each item at most once or m items per class."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from contract.comparison.training import MPerClassSampler, ShuffleSampler
from worker.errors import InputError
from worker.trainer.batches import epoch_batches, steps_per_epoch

SHUFFLE, M4 = ShuffleSampler(), MPerClassSampler(m=4)
LABELS = torch.arange(200) % 10 - 3


def drawn(
    sampler: ShuffleSampler | MPerClassSampler = SHUFFLE,
    *,
    labels: Tensor = LABELS,
    batch_size: int = 24,
    seed: int = 0,
    epoch: int = 1,
) -> Tensor:
    found = epoch_batches(
        labels, sampler_spec=sampler, batch_size=batch_size, seed=seed, epoch=epoch
    )
    return torch.stack(list(found))


@pytest.mark.parametrize("sampler", [SHUFFLE, M4], ids=["shuffle", "m_per_class"])
def test_two_arms_of_a_seed_get_the_same_batches(
    sampler: ShuffleSampler | MPerClassSampler,
) -> None:
    torch.manual_seed(1)
    one = drawn(sampler, seed=5, epoch=3)
    torch.manual_seed(2)
    torch.rand(100)
    state = torch.get_rng_state()
    assert torch.equal(drawn(sampler, seed=5, epoch=3), one)
    assert torch.equal(torch.get_rng_state(), state), "a loss that draws would draw other numbers"


@pytest.mark.parametrize("sampler", [SHUFFLE, M4], ids=["shuffle", "m_per_class"])
def test_seeds_and_epochs_see_other_batches(sampler: ShuffleSampler | MPerClassSampler) -> None:
    """Also for 4096 and 2^31 - 1: a generator with 32 bits for seed and epoch would repeat."""
    pairs = [(seed, epoch) for seed in (0, 1, 4096, 2**31 - 1) for epoch in (1, 2, 10_000)]
    seen = {drawn(sampler, seed=seed, epoch=epoch).numpy().tobytes() for seed, epoch in pairs}
    assert len(seen) == len(pairs) == 12


@given(items=st.integers(2, 300), batch_size=st.integers(2, 64), seed=st.integers(0, 2**31 - 1))
def test_shuffle_uses_each_item_at_most_once(items: int, batch_size: int, seed: int) -> None:
    if batch_size > items:
        return
    found = drawn(labels=torch.zeros(items).long(), batch_size=batch_size, seed=seed)
    assert found.dtype == torch.int64
    assert found.shape == (steps_per_epoch(items, batch_size), batch_size)
    assert items - found.numel() < batch_size
    assert len(found.unique()) == found.numel()
    assert 0 <= int(found.min()) <= int(found.max()) < items


@pytest.mark.parametrize(("m", "batch_size"), [(4, 24), (2, 20), (20, 200), (50, 100)])
def test_m_per_class(m: int, batch_size: int) -> None:
    """50 is more than the 20 items of a class: they come two or three times."""
    found = drawn(MPerClassSampler(m=m), batch_size=batch_size)
    assert found.shape == (200 // batch_size, batch_size)
    for batch in found:
        classes, counts = LABELS[batch].unique(return_counts=True)
        assert len(classes) == batch_size // m
        assert counts.tolist() == [m] * len(classes)
        repeats = int(batch.unique(return_counts=True)[1].max())
        assert repeats == -(-m // 20)


def test_errors_name_the_wrong_values() -> None:
    with pytest.raises(InputError, match="batch_size: 201 is more than the 200 items"):
        drawn(batch_size=201)
    with pytest.raises(InputError, match="batch_size: 26 is not divisible by m = 4"):
        drawn(M4, batch_size=26)
    with pytest.raises(InputError, match="48 / 4 = 12 classes a batch, but labels holds 10"):
        drawn(M4, batch_size=48)
