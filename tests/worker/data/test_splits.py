"""Splits: no item is in two of them, and by class no tested class is trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.data.splits import Indices, split, split_by_class, split_by_item
from worker.errors import DataError

LABELS = np.repeat(np.arange(20), 10)


def parts(indices: Indices) -> list[np.ndarray]:
    return [indices.train, indices.validation, indices.test]


def classes(labels: np.ndarray, index: np.ndarray) -> set[int]:
    return set(labels[index].tolist())


@given(
    st.lists(st.integers(10, 30), min_size=8, max_size=12),
    st.sampled_from([("item", "classes"), ("class", "classes"), ("class", "items")]),
    st.integers(0, 2**31 - 1),
)
def test_every_item_is_in_one_split_and_the_seed_decides(
    sizes: list[int], how: tuple[str, str], seed: int
) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    by, validation = how
    made = split(labels, by=by, validation=validation, seed=seed)  # type: ignore[arg-type]
    together = np.concatenate(parts(made))
    assert sorted(together.tolist()) == list(range(len(labels)))
    again = split(labels, by=by, validation=validation, seed=seed)  # type: ignore[arg-type]
    assert all(np.array_equal(a, b) for a, b in zip(parts(made), parts(again), strict=True))
    assert all((np.diff(part) > 0).all() for part in parts(made))


def test_by_class_the_first_half_trains_and_the_second_half_tests() -> None:
    made = split_by_class(LABELS, validation="items", seed=0)
    assert classes(LABELS, made.train) == classes(LABELS, made.validation) == set(range(10))
    assert classes(LABELS, made.test) == set(range(10, 20))
    assert [len(part) for part in parts(made)] == [80, 20, 100]


def test_by_class_a_fifth_of_the_training_half_can_validate() -> None:
    made = split_by_class(LABELS, validation="classes", seed=0)
    held = classes(LABELS, made.validation)
    assert len(held) == 2
    assert classes(LABELS, made.train) == set(range(10)) - held
    assert classes(LABELS, made.test) == set(range(10, 20))
    others = {
        frozenset(classes(LABELS, split_by_class(LABELS, validation="classes", seed=s).validation))
        for s in range(10)
    }
    assert len(others) > 1


@given(st.integers(8, 40), st.sampled_from(["classes", "items"]), st.integers(0, 2**31 - 1))
def test_a_drawn_half_of_the_classes_trains_and_the_other_tests(
    count: int, validation: str, seed: int
) -> None:
    labels = np.repeat(np.arange(count), 10)
    made = split(labels, by="class", validation=validation, seed=seed, draw_classes=True)  # type: ignore[arg-type]
    assert sorted(np.concatenate(parts(made)).tolist()) == list(range(len(labels)))
    learnt = classes(labels, made.train) | classes(labels, made.validation)
    tested = classes(labels, made.test)
    assert not learnt & tested
    assert len(learnt) == count // 2
    assert len(tested) == count - count // 2


def test_every_seed_draws_another_half_of_the_classes() -> None:
    halves = [
        frozenset(
            classes(
                LABELS,
                split_by_class(LABELS, validation="items", seed=seed, draw_classes=True).test,
            )
        )
        for seed in range(20)
    ]
    assert len(set(halves)) == 20
    times = np.bincount([one for half in halves for one in half], minlength=20)
    assert times.min() >= 3  # each class is tested now and then
    assert times.max() <= 17


def test_as_many_classes_are_drawn_as_an_official_list_has() -> None:
    made = split_by_class(LABELS, validation="items", seed=0, training_classes=7, draw_classes=True)
    assert len(classes(LABELS, made.train)) == 7
    assert len(classes(LABELS, made.test)) == 13


def test_by_item_small_classes_train_too() -> None:
    labels = np.array([0, 0, 1, 1, 1, *[2] * 10, *[3] * 10])
    made = split_by_item(labels, seed=0)
    assert {0, 1} <= classes(labels, made.train)


@pytest.mark.parametrize(
    ("labels", "how", "message"),
    [
        ([0] * 20, ("item", "classes"), "one class only"),
        ([0, 0, 1, 1, 2, 2, 3, 3], ("item", "classes"), "training split would hold 4 items"),
        ([0] * 5 + [1] * 5, ("item", "classes"), "validation split would hold 2 items"),
        ([0] * 9 + [1] * 9, ("class", "classes"), "needs 8 classes or more, the data have 2"),
        ([0] * 9 + [1] * 9, ("class", "items"), "needs 4 classes or more, the data have 2"),
        ([0, 1, *[2] * 9, *[3] * 9], ("class", "items"), "no class with two of them"),
    ],
)
def test_data_that_cannot_be_split_are_refused(
    labels: list[int], how: tuple[str, str], message: str
) -> None:
    by, validation = how
    with pytest.raises(DataError, match=message):
        split(np.array(labels), by=by, validation=validation, seed=0)  # type: ignore[arg-type]
