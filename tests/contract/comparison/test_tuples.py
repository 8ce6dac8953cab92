"""Arms whose batches can never hold what their loss compares."""

from typing import Any

import pytest
import torch

from contract.comparison.tuples import tuple_problems
from tests.support.specs import small
from worker import losses

TUPLE_LOSSES = ("contrastive", "triplet", "n_pair", "info_nce", "sup_con")
ITEM_LOSSES = ("arcface", "center_contrastive")
PAIRED = {"data": {"kind": "spoken_digits"}, "visual_encoder": {"kind": "convnet"}}


def of_training(training: dict[str, Any], loss: str, **changes: Any) -> list[tuple[str, str]]:
    arms = [{"name": "arm", "loss": {"kind": loss}}]
    return [
        (path, text)
        for path, text in tuple_problems(small(arms=arms, **changes, training=training))
    ]


def m_per_class(size: int, m: int) -> dict[str, Any]:
    return {"batch_size": size, "sampler": {"kind": "m_per_class", "m": m}}


@pytest.mark.parametrize("loss", TUPLE_LOSSES)
@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("two", [False, True], ids=["one modality", "two modalities"])
def test_a_size_is_refused_if_no_batch_of_it_has_a_tuple_that_can_be_active(
    loss: str, size: int, two: bool
) -> None:
    """All labels that a batch may have are tried with the loss itself."""
    built = losses.build({"kind": loss}, classes=4, dim=8)
    possible = False
    for labels in torch.cartesian_prod(*[torch.arange(2)] * size):
        points = torch.randn(size, 8, generator=torch.Generator().manual_seed(1))
        others = torch.randn(size, 8, generator=torch.Generator().manual_seed(2))
        output = losses.two_ways(built, points, others, labels) if two else built(points, labels)
        possible |= bool(output.active)
    found = of_training({"batch_size": size}, loss, **(PAIRED if two else {}))
    assert bool(found) == (not possible)
    assert all(path == "training.batch_size" and "take" in text for path, text in found)


@pytest.mark.parametrize("loss", TUPLE_LOSSES)
@pytest.mark.parametrize("changes", [{}, PAIRED], ids=["one modality", "two modalities"])
def test_one_class_a_batch_is_refused(loss: str, changes: dict[str, Any]) -> None:
    [(path, text)] = of_training(m_per_class(32, 32), loss, **changes)
    assert path == "training.sampler.m"
    assert "one class a batch" in text
    assert "lower m to 16 or less" in text
    [(_, text)] = of_training(m_per_class(2, 2), loss, **changes)
    assert "raise the batch size to 4 or more" in text
    assert not of_training(m_per_class(32, 16), loss, **changes)
    assert not of_training(m_per_class(4, 2), loss, **changes)


@pytest.mark.parametrize("loss", ITEM_LOSSES)
def test_a_loss_of_items_takes_any_batch(loss: str) -> None:
    assert not of_training({"batch_size": 2}, loss)
    assert not of_training(m_per_class(8, 8), loss)


def test_a_problem_names_the_place_where_the_arm_sets_it() -> None:
    raw = small(training=m_per_class(8, 8))
    triplet = raw["arms"][0]["loss"]
    raw["arms"] = [
        {"name": "shared", "loss": triplet},
        {"name": "own size", "loss": triplet, "training": {"batch_size": 16}},
        {"name": "own sampler", "loss": triplet, "training": {"sampler": {"kind": "shuffle"}}},
        {
            "name": "too small",
            "loss": triplet,
            "training": {"sampler": {"kind": "shuffle"}, "batch_size": 2},
        },
        {"name": "own m", "loss": triplet, "training": m_per_class(4, 4)},
    ]
    assert [path for path, _ in tuple_problems(raw)] == [
        "training.sampler.m",
        "arms[3].training.batch_size",
        "arms[4].training.sampler.m",
    ]


@pytest.mark.parametrize("broken", ["data", "training", "arms", "seeds"])
def test_other_problems_are_left_to_the_other_checks(broken: str) -> None:
    raw = small(training={"batch_size": 2}) | {broken: ["?"]}
    assert len(tuple_problems(raw)) == (1 if broken == "seeds" else 0)
