"""The sizes that are foretold are those of the splits that the worker makes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.comparison.data import (
    Cifar100Data,
    Cub200Data,
    Data,
    DigitsData,
    FeaturesData,
    ImageFolderData,
    MnistData,
    SopData,
    SyntheticData,
    TinyImagenetData,
)
from contract.comparison.tuning import Fold
from contract.preview.amounts import Amount
from contract.preview.class_sizes import MNIST_TEST, MNIST_TRAIN, ClassSizes, class_sizes
from contract.preview.splits import PartSize, SplitSizes, split_sizes
from worker.data import load
from worker.data.dataset import Pool
from worker.data.folds import trial_indices
from worker.data.official_splits import OfficialPart, draw_pool
from worker.data.splits import Indices, given_split, split


def seen(labels: np.ndarray, index: np.ndarray) -> PartSize:
    """Return the size of a split that the worker made."""
    counts = np.unique(labels[index], return_counts=True)[1]
    return PartSize(
        Amount.exactly(len(index)), Amount.exactly(len(counts)), Amount.exactly(int(counts.min()))
    )


def check(foretold: SplitSizes, labels: np.ndarray, made: Indices, *, trial: bool = False) -> None:
    assert foretold.train == seen(labels, made.train)
    assert foretold.validation == seen(labels, made.validation)
    assert foretold.test == (None if trial else seen(labels, made.test))
    own = np.unique(labels[made.train], return_counts=True)[1]
    assert foretold.training_counts is not None
    assert sorted(foretold.training_counts) == sorted(own.tolist())


def pool_of(labels: np.ndarray, indices: Indices, *, disjoint: bool) -> Pool:
    items = torch.zeros(len(labels), 1)
    return Pool(items, torch.from_numpy(labels), indices, class_disjoint=disjoint)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(10, 30), min_size=8, max_size=40),
    by=st.sampled_from(["class", "item"]),
    validation=st.sampled_from(["classes", "items"]),
    redrawn=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
)
def test_an_upload_is_split_as_foretold(
    sizes: list[int], by: Any, validation: Any, redrawn: bool, seed: int
) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    data = FeaturesData(dataset="d1", split=by, validation=validation, seed=seed)
    made = split(labels, by=by, validation=validation, seed=seed, draw_classes=redrawn)
    foretold = split_sizes(data, ClassSizes(tuple(sizes)), [seed] if redrawn else [])
    check(foretold, labels, made)


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(10, 30), min_size=16, max_size=30),
    by=st.sampled_from(["class", "item"]),
    folds=st.integers(2, 4),
    seed=st.integers(0, 2**31 - 1),
)
def test_folds_are_as_foretold(sizes: list[int], by: Any, folds: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    data = FeaturesData(dataset="d1", split=by, seed=seed)
    pool = pool_of(labels, split(labels, by=by, seed=seed), disjoint=by == "class")
    for number in range(folds):
        fold = Fold(number=number, of=folds)
        foretold = split_sizes(data, ClassSizes(tuple(sizes)), [], fold)
        check(foretold, labels, trial_indices(pool, data, fold), trial=True)


@pytest.mark.parametrize("with_validation", [True, False])
def test_a_given_split_is_kept(with_validation: bool) -> None:
    parts = {"train": [12, 0, 7, 1], "test": [3, 5, 2, 0]}
    if with_validation:
        parts["validation"] = [4, 0, 2, 2]
    labels, names = [], []
    for part, own in parts.items():
        for label, count in enumerate(own):
            labels += [label] * count
            names += [part] * count
    counts = tuple(map(sum, zip(*parts.values(), strict=True)))
    data = ImageFolderData(dataset="d1", split="given")
    made = given_split(np.array(names), np.array(labels), seed=0)
    check(split_sizes(data, ClassSizes(counts, parts), []), np.array(labels), made)


@pytest.mark.parametrize("data", [DigitsData(seed=3), SyntheticData(classes=7, per_class=33)])
def test_data_without_files_are_split_as_foretold(data: Data, tmp_path: Path) -> None:
    pool = load(data, tmp_path)
    check(split_sizes(data, class_sizes(data), []), pool.labels.numpy(), pool.indices)


@pytest.mark.parametrize("items", [50_000, 777])
@pytest.mark.parametrize("fold", [None, Fold(number=1, of=3)])
def test_official_parts_are_drawn_from_as_foretold(items: int, fold: Fold | None) -> None:
    train, test = (np.repeat(np.arange(10), counts) for counts in (MNIST_TRAIN, MNIST_TEST))
    parts = [OfficialPart(np.zeros((len(own), 1, 1, 1)), own) for own in (train, test)]
    data = MnistData(train_items=items)
    pool = draw_pool(*parts, shares=train, train_items=items, validation_part=6, seed=0)
    made = pool.indices if fold is None else trial_indices(pool, data, fold)
    foretold = split_sizes(data, class_sizes(data), [], fold)
    check(foretold, pool.labels.numpy(), made, trial=fold is not None)


def test_each_seed_has_its_own_split_by_class() -> None:
    sizes = tuple(range(10, 30))
    data = FeaturesData(dataset="d1", split="class")
    alone = [split_sizes(data, ClassSizes(sizes), [seed]).train.items for seed in (4, 5, 6)]
    together = split_sizes(data, ClassSizes(sizes), [4, 5, 6]).train.items
    assert all(alone)
    assert together is not None
    least = [one.least for one in alone if one]
    assert (together.least, together.most) == (min(least), max(least))
    assert together.least < together.most


def test_tiny_imagenet_is_known_exactly() -> None:
    foretold = split_sizes(TinyImagenetData(), class_sizes(TinyImagenetData()), [])
    assert foretold.train.items == Amount.exactly(80 * 550)
    assert foretold.test == PartSize(*map(Amount.exactly, (100 * 550, 100, 550)))


def test_of_fine_grained_images_only_sums_are_known() -> None:
    data = Cub200Data()
    foretold = split_sizes(data, class_sizes(data), [])
    assert foretold.train == PartSize(Amount(4690, 4690, about=True), Amount.exactly(80))
    assert foretold.test == PartSize(Amount.exactly(5_924), Amount.exactly(100))
    by_item = split_sizes(SopData(split="item"), None, [])
    assert by_item.train == PartSize()


def test_coarse_classes_have_five_fine_ones() -> None:
    data = Cifar100Data(train_labels="coarse")
    foretold = split_sizes(data, class_sizes(data), [])
    assert foretold.train == PartSize(*map(Amount.exactly, (40_000, 20, 2_000)))
    assert foretold.training_counts == (2_000,) * 20


def test_paths_of_the_workers_are_known_once_read() -> None:
    assert split_sizes(FeaturesData(file="/data/a.npz"), None, []).train == PartSize()
