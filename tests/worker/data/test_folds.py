"""The items of trials: folds are disjoint, cover what is not tested, and never reach what is."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from contract.comparison.data import Cub200Data, Data, DigitsData, FeaturesData, MnistData
from contract.comparison.data.facts import fold_items_problem, fold_training_items
from contract.comparison.tuning import Fold
from worker.data import load
from worker.data.dataset import Pool
from worker.data.folds import trial_indices, trial_pool
from worker.data.loaders.feature_tables import standardized
from worker.data.splits import Indices, split_by_class, split_by_item
from worker.errors import DataError


def pool(labels: np.ndarray, indices: Indices, *, disjoint: bool) -> Pool:
    return Pool(
        torch.zeros(len(labels), 1), torch.from_numpy(labels), indices, class_disjoint=disjoint
    )


def folds_of(whole: Pool, data: Data, count: int) -> list[Indices]:
    return [trial_indices(whole, data, Fold(number=n, of=count)) for n in range(count)]


def check(whole: Pool, folds: list[Indices]) -> None:
    """Check what holds of any folds: they share no item and cover all that is not tested."""
    untested = np.sort(np.concatenate([whole.indices.train, whole.indices.validation]))
    for fold in folds:
        assert not len(fold.test)
        assert np.array_equal(np.sort(np.concatenate([fold.train, fold.validation])), untested)
        assert (np.diff(fold.train) > 0).all()
    held = np.concatenate([fold.validation for fold in folds])
    assert np.array_equal(np.sort(held), untested)


@given(
    sizes=st.lists(st.integers(2, 12), min_size=16, max_size=30),
    count=st.integers(2, 4),
    seed=st.integers(0, 2**31 - 1),
    validation=st.sampled_from(["classes", "items"]),
)
def test_folds_of_a_split_by_class_are_class_disjoint(
    sizes: list[int], count: int, seed: int, validation: Any
) -> None:
    labels = np.repeat(np.arange(len(sizes)), [size + 8 for size in sizes])
    indices = split_by_class(labels, validation=validation, seed=seed)
    whole = pool(labels, indices, disjoint=True)
    data = Cub200Data(seed=seed)
    folds = folds_of(whole, data, count)
    check(whole, folds)
    tested = set(labels[indices.test])
    seen = []
    for fold in folds:
        learnt, held = set(labels[fold.train]), set(labels[fold.validation])
        assert not learnt & held
        assert not tested & (learnt | held)
        seen.append(held)
    assert sum(map(len, seen)) == len(set.union(*seen))
    assert max(map(len, seen)) - min(map(len, seen)) <= 1
    other = folds_of(whole, Cub200Data(seed=seed ^ 1), count)
    again = folds_of(whole, data, count)
    assert all(np.array_equal(a.train, b.train) for a, b in zip(folds, again, strict=True))
    if len(sizes) > 25:
        assert any(
            not np.array_equal(a.validation, b.validation)
            for a, b in zip(folds, other, strict=True)
        )


@given(
    sizes=st.lists(st.integers(20, 60), min_size=2, max_size=12),
    count=st.integers(2, 5),
    seed=st.integers(0, 2**31 - 1),
)
def test_folds_of_a_split_by_item_hold_their_share_of_each_class(
    sizes: list[int], count: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    whole = pool(labels, split_by_item(labels, seed=seed), disjoint=False)
    folds = folds_of(whole, DigitsData(seed=seed), count)
    check(whole, folds)
    lengths = [len(fold.validation) for fold in folds]
    assert max(lengths) - min(lengths) <= 1
    for label in range(len(sizes)):
        held = [int((labels[fold.validation] == label).sum()) for fold in folds]
        assert max(held) - min(held) <= 1


@pytest.mark.parametrize("count", [2, 4, 20])
def test_the_contract_knows_how_many_items_train_in_a_fold(count: int) -> None:
    folds = folds_of(load(DigitsData()), DigitsData(), count)
    assert min(len(fold.train) for fold in folds) == fold_training_items(DigitsData(), count)


def test_official_training_items_stay_as_few_as_the_spec_says() -> None:
    labels = np.arange(400) % 4
    official = Indices(np.arange(100), np.arange(100, 300), np.arange(300, 400))
    data = MnistData(train_items=100)
    folds = folds_of(pool(labels, official, disjoint=False), data, 4)
    assert [len(fold.train) for fold in folds] == [75] * 4
    assert max(fold.train.max() for fold in folds) < 100
    held = np.concatenate([fold.validation for fold in folds])
    assert np.array_equal(np.sort(held), np.arange(100))


def test_features_are_standardised_by_the_items_that_train_in_the_fold() -> None:
    labels = np.arange(120) % 6
    rng = torch.Generator().manual_seed(0)
    items = 5 + 3 * torch.randn(120, 4, generator=rng)
    items[:, 3] = 7  # constant
    table = FeaturesData(file="table.npz", standardize=True)
    whole = standardized(Pool(items, torch.from_numpy(labels), split_by_item(labels, seed=0)))
    for number in range(3):
        own = trial_pool(whole, table, Fold(number=number, of=3))
        assert isinstance(own.items, torch.Tensor)
        train = own.items[torch.from_numpy(own.indices.train)]
        torch.testing.assert_close(train.mean(dim=0), torch.zeros(4), atol=1e-6, rtol=0)
        deviation = torch.tensor([1.0, 1.0, 1.0, 0.0])
        torch.testing.assert_close(train.std(dim=0, correction=0), deviation)
    for as_it_is in (
        trial_pool(whole, table, None),
        trial_pool(whole, FeaturesData(file="table.npz"), Fold(number=0, of=3)),
    ):
        assert as_it_is.items is whole.items


def test_without_folds_a_trial_has_the_ordinary_splits_but_no_test_items() -> None:
    whole = load(DigitsData())
    indices = trial_indices(whole, DigitsData(), None)
    assert np.array_equal(indices.train, whole.indices.train)
    assert np.array_equal(indices.validation, whole.indices.validation)
    assert not len(indices.test)


@pytest.mark.parametrize(("sizes", "count"), [([9, 4], 5), ([8, 1], 2), ([1, 1, 1, 1], 2)])
def test_too_many_folds_are_refused_before_and_told_when_they_are_read(
    sizes: list[int], count: int
) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    items = np.arange(len(labels))
    whole = pool(labels, Indices(items, items[:0], items[:0]), disjoint=False)
    assert "take fewer folds" in fold_items_problem(sizes, count)
    with pytest.raises(DataError, match=rf"fold \d of {count}: .*; or take fewer folds"):
        folds_of(whole, DigitsData(), count)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(2, 6))
def test_folds_that_the_contract_allows_exist(sizes: list[int], count: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    items = np.arange(len(labels))
    whole = pool(labels, Indices(items, items[:0], items[:0]), disjoint=False)
    if not fold_items_problem(sizes, count):
        check(whole, folds_of(whole, DigitsData(), count))
