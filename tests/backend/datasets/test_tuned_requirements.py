"""Searches on uploaded data sets: what no fold or no drawn batch could train on is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch

from backend.datasets.check_report import Facts
from backend.datasets.tuned_requirements import fold_share, folds_problem
from contract.comparison.data import FeaturesData
from contract.comparison.tuning import Fold
from tests.backend.dataset_uploads import upload
from tests.backend.helpers import check_error
from tests.support.specs import small
from tests.support.tiny_sets import npz, table
from worker.data.dataset import Pool
from worker.data.folds import trial_indices
from worker.data.splits import split
from worker.errors import DataError

Make = Callable[[int, int], str]


@pytest.fixture
def made(client: httpx.Client, tmp_path: Path) -> Make:
    def make(classes: int, each: int) -> str:
        labels = np.repeat(np.arange(classes), each)
        columns = {**table(rows=classes * each), "labels": labels}
        file = npz(tmp_path / f"{classes}-{each}.npz", columns)
        return str(upload(client, file, "features")["id"])

    return make


def problems(
    client: httpx.Client, dataset: str, folds: int = 1, search: Any = None, **changes: Any
) -> dict[str, str]:
    """Path -> message."""
    arms = [{"name": "triplet", "loss": {"kind": "triplet"}, "search": search or {}}]
    split_by = changes.pop("split", "item")
    spec = small(
        data={"kind": "features", "dataset": dataset, "split": split_by},
        training={"epochs": 1, "batch_size": 8, **changes},
        tuning={"trials": 1, "folds": folds},
        arms=arms,
    )
    answer = client.post("/api/v1/comparisons", json=spec)
    if answer.status_code == 201:
        return {}
    body = check_error(answer, 422, "invalid_spec")
    return {field["path"]: field["message"] for field in body["fields"]}


def facts_of(sizes: list[int]) -> Facts:
    names = [f"c{label}" for label in range(len(sizes))]
    return Facts(
        items=sum(sizes),
        class_names=names,
        counts=sizes,
        has_fine=False,
        shape={},
        warnings=[],
        thumbnails=[],
    )


def test_each_fold_of_a_split_by_class_has_two_classes(client: httpx.Client, made: Make) -> None:
    dataset = made(16, 10)  # 8 classes train
    assert problems(client, dataset, 4, split="class") == {}
    found = problems(client, dataset, 5, split="class")
    assert "5 folds need 10 classes or more" in found["tuning.folds"]
    small_classes = made(16, 9)
    found = problems(client, small_classes, 4, split="class")
    assert "needs 10 items or more in a class" in found["tuning.folds"], "the final runs' split"


def test_each_fold_of_a_split_by_item_has_two_items_of_a_class(
    client: httpx.Client, made: Make
) -> None:
    dataset = made(4, 10)  # 8 of each class are not tested
    assert problems(client, dataset, 4) == {}
    assert "5 folds need 10 items" in problems(client, dataset, 5)["tuning.folds"]


def test_a_batch_fits_into_each_fold_and_into_the_final_training(
    client: httpx.Client, made: Make
) -> None:
    dataset = made(4, 10)  # 24 items train in the end, 16 in each of two folds
    assert problems(client, dataset, 2, batch_size=16) == {}
    found = problems(client, dataset, 2, batch_size=17)
    assert "16 training items" in found["training.batch_size"]
    assert "each of 2 folds" in found["training.batch_size"]
    assert problems(client, dataset, 4, batch_size=24) == {}
    assert problems(client, dataset, 4, batch_size=25)


def test_what_a_search_draws_fits_the_data(client: httpx.Client, made: Make) -> None:
    dataset = made(4, 10)
    sampler = {"kind": "m_per_class", "m": 4}
    by_m = {"training.sampler.m": {"choices": [2, 4]}}
    found = problems(client, dataset, search=by_m, batch_size=12, sampler=sampler)
    assert list(found) == ["arms[0].search.training.sampler.m"]
    assert "6 classes a batch" in found["arms[0].search.training.sampler.m"]
    assert problems(client, dataset, search=by_m, batch_size=8, sampler=sampler) == {}
    by_size = {"training.batch_size": {"choices": [8, 100]}}
    found = problems(client, dataset, search=by_size)
    assert list(found) == ["arms[0].search.training.batch_size"]
    nonsense = {"training.batch_size": {"choices": [8, "x"]}, "training.sampler.m": 3}
    assert set(problems(client, dataset, search=nonsense, sampler=sampler)) == {
        "arms[0].search.training.batch_size.choices[1]",
        "arms[0].search.training.sampler.m",
    }


@pytest.mark.parametrize("by", ["class", "item"])
@pytest.mark.parametrize("folds", [2, 3])
def test_the_share_of_a_fold_is_the_same_as_the_workers(by: Any, folds: int) -> None:
    sizes = [11, 12, 20, 13, 40, 15, 11, 17, 30, 12, 10, 18, 13, 11]
    facts = facts_of(sizes)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    found = []
    for seed in range(60):
        data = FeaturesData(dataset="d", split=by, seed=seed)
        whole = Pool(
            torch.zeros(len(labels), 1),
            torch.from_numpy(labels),
            split(labels, by=by, seed=seed),
            class_disjoint=by == "class",
        )
        for number in range(folds):
            index = trial_indices(whole, data, Fold(number=number, of=folds)).train
            found.append((len(index), len(np.unique(labels[index]))))
    share = fold_share(facts, FeaturesData(dataset="d", split=by), folds)
    fewest = min(classes for _, classes in found)
    items = [count for count, classes in found if classes == fewest]
    assert share.items == (max(items) if by == "class" else min(items))
    assert share.classes == fewest


@pytest.mark.parametrize(("by", "folds"), [("class", 4), ("item", 6)])
def test_folds_are_refused_where_the_worker_would_fail(by: Any, folds: int) -> None:
    sizes = [10] * 14
    facts = facts_of(sizes)
    data = FeaturesData(dataset="d", split=by)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    whole = Pool(
        torch.zeros(len(labels), 1),
        torch.from_numpy(labels),
        split(labels, by=by, seed=0),
        class_disjoint=by == "class",
    )
    assert folds_problem(facts, data, folds)
    assert not folds_problem(facts, data, folds - 2)
    if by == "class":
        with pytest.raises(DataError):
            [trial_indices(whole, data, Fold(number=n, of=folds)) for n in range(folds)]


def test_detail_is_no_objective_of_a_table_without_fine_labels(
    client: httpx.Client, made: Make
) -> None:
    arms = [{"name": "triplet", "loss": {"kind": "triplet"}}]
    spec = small(
        data={"kind": "features", "dataset": made(4, 10)},
        training={"epochs": 1, "batch_size": 8},
        tuning={"trials": 1, "objective": "detail.recall_at_1"},
        arms=arms,
    )
    body = check_error(client.post("/api/v1/comparisons", json=spec), 422, "invalid_spec")
    [field] = body["fields"]
    assert field["path"] == "tuning.objective"
    assert "has no fine labels" in field["message"]
