"""The figures of a comparison, and what it is warned of."""

from typing import Any

import pytest

from contract.comparison.spec import parse_spec
from contract.preview.amounts import Amount
from contract.preview.class_sizes import ClassSizes, class_sizes
from contract.preview.figures import Figures, figures
from contract.preview.warnings import Warning, warnings
from tests.support.specs import small
from tests.support.tuned import tuned


def of(raw: dict[str, Any], counts: tuple[int, ...] = ()) -> Figures:
    spec = parse_spec(raw)
    return figures(spec, ClassSizes(counts) if counts else class_sizes(spec.data))


def told(raw: dict[str, Any], counts: tuple[int, ...] = ()) -> dict[str, Warning]:
    return {one.code: one for one in warnings(parse_spec(raw), of(raw, counts))}


def upload(**changes: Any) -> dict[str, Any]:
    return small(data={"kind": "features", "dataset": "d1"}, **changes)


def test_steps_are_whole_batches_of_the_training_items() -> None:
    found = of(small())  # digits: 1,074 training items
    assert found.arms[0].steps.per_epoch == Amount.exactly(16)
    assert found.arms[0].steps.total == Amount.exactly(128)
    assert (found.trials, found.trial_runs, found.final_runs) == (0, 0, 1)
    assert found.trial_splits is None


def test_an_arm_has_its_own_training() -> None:
    arms = [
        {"name": "a", "loss": {"kind": "triplet"}},
        {"name": "b", "loss": {"kind": "triplet"}, "training": {"epochs": 2, "batch_size": 32}},
    ]
    totals = [arm.steps.total for arm in of(small(arms=arms, seeds=[0, 1])).arms]
    assert totals == [Amount.exactly(128), Amount.exactly(66)]


def test_trials_and_folds_are_counted() -> None:
    found = of(tuned(trials=3))  # two arms, two folds, one seed a trial, two final seeds
    assert (found.trials, found.trial_runs, found.final_runs) == (6, 12, 4)
    assert found.trial_splits is not None
    assert found.trial_splits.test is None
    untested = found.splits.train.items, found.splits.validation.items
    assert all(untested)
    both = sum(one.least for one in untested if one)
    assert found.trial_splits.train.items == Amount(both // 2, -(-both // 2))


def test_searched_batch_sizes_give_a_range_of_steps() -> None:
    search = {
        "training.batch_size": {"choices": [16, 64]},
        "training.epochs": {"low": 5, "high": 10},
    }
    raw = tuned(trials=2, tuning={"folds": 1})
    raw["arms"] = [{**arm, "search": search} for arm in raw["arms"]]
    steps = of(raw).arms[0].trial_steps
    assert steps is not None
    assert steps.per_epoch == Amount(1074 // 64, 1074 // 16)
    assert steps.total == Amount(5 * (1074 // 64), 10 * (1074 // 16))


def test_after_folds_items_validate() -> None:
    counts = (20,) * 20
    data = {"kind": "features", "dataset": "d1", "split": "class"}
    found = of(tuned(data=data, training={"epochs": 2, "batch_size": 16}), counts)
    assert found.splits.train.classes == Amount.exactly(10)
    assert found.splits.validation.items == Amount.exactly(10 * 4)


def test_two_hundred_images_train_six_steps() -> None:
    raw = upload(training={"epochs": 2, "batch_size": 32})
    found = told(raw, (20,) * 10)
    assert found["few_steps"].path == "training.epochs"
    assert "6 steps in all (3 an epoch)" in found["few_steps"].message
    assert "34 epochs or more" in found["few_steps"].message
    assert "40 validation and 40 test items" in found["few_measured"].message
    assert told(small()) == {}


def test_a_warning_names_the_arm_and_its_own_setting() -> None:
    arms = [
        {"name": "a", "loss": {"kind": "triplet"}},
        {"name": "b", "loss": {"kind": "triplet"}, "training": {"epochs": 1}},
    ]
    found = told(small(arms=arms))["few_steps"]
    assert found.path == "arms[1].training.epochs"
    assert found.message.startswith("Arm 'b' takes 16 steps")


@pytest.mark.parametrize(
    ("counts", "sampler", "codes"),
    [
        ((100,) * 9 + (6,), "shuffle", {"small_class"}),
        ((100,) * 9 + (10,), "m_per_class", {"repeated_items"}),
        ((12,) * 400, "shuffle", {"few_positives"}),
    ],
)
def test_classes_with_too_few_items(counts: tuple[int, ...], sampler: str, codes: set[str]) -> None:
    settings = {"kind": sampler, **({"m": 8} if sampler == "m_per_class" else {})}
    training = {"epochs": 50, "batch_size": 16, "sampler": settings}
    assert set(told(upload(training=training), counts)) == codes


def test_items_that_no_batch_takes() -> None:
    training = {"epochs": 200, "batch_size": 512}
    found = told(upload(training=training), (160,) * 10)  # 960 training items
    assert "leaves out 448 of 960" in found["left_out"].message


def test_nothing_is_guessed_of_data_that_were_not_read() -> None:
    raw = small(data={"kind": "features", "file": "/data/a.npz"})
    found = of(raw)
    assert found.arms[0].steps.total is None
    assert found.arms[0].tuples is None
    assert told(raw) == {}
