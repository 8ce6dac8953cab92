"""Comparisons of uploaded data sets: one that cannot be trained is refused at submit."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from backend.datasets.requirements import training_share
from contract.comparison.data import FeaturesData
from contract.comparison.data.facts import MIN_CLASSES
from tests.backend.dataset_uploads import feature_table, image_archive, paired_table, upload
from tests.backend.helpers import Api, Json, check_error
from tests.support.specs import small
from tests.support.tiny_sets import npz, table
from worker.data.splits import split
from worker.errors import DataError


@pytest.fixture
def ids(client: httpx.Client, tmp_path: Path) -> dict[str, str]:
    """Kind -> the id of an upload."""
    made = {
        "features": feature_table(tmp_path),
        "image_folder": image_archive(tmp_path, classes=8),
        "paired_features": paired_table(tmp_path),
    }
    return {kind: str(upload(client, file, kind)["id"]) for kind, file in made.items()}


def problems(client: httpx.Client, **changes: Any) -> Json:
    """Path -> message."""
    spec = small(training={"epochs": 1, "batch_size": 8})
    answer = client.post("/api/v1/comparisons", json={**spec, **changes})
    if answer.status_code == 201:
        return {}
    body = check_error(answer, 422, "invalid_spec")
    assert len({field["path"] for field in body["fields"]}) == len(body["fields"])
    return {field["path"]: field["message"] for field in body["fields"]}


def test_each_kind_is_accepted(client: httpx.Client, ids: dict[str, str]) -> None:
    for kind, dataset in ids.items():
        both = {"visual_encoder": small()["encoder"]} if kind == "paired_features" else {}
        assert problems(client, data={"kind": kind, "dataset": dataset}, **both) == {}


def test_the_data_set_must_exist_and_be_of_the_kind_of_the_spec(
    client: httpx.Client, ids: dict[str, str]
) -> None:
    found = problems(client, data={"kind": "features", "dataset": "d0"})
    assert "there is no uploaded data set 'd0'" in found["data.dataset"]
    found = problems(client, data={"kind": "features", "dataset": ids["image_folder"]})
    assert "was uploaded as 'image_folder'" in found["data.dataset"]
    assert problems(client, data={"kind": "features", "file": "/somewhere.npz"}) == {}


def test_its_problems_are_listed_with_all_others(client: httpx.Client, ids: dict[str, str]) -> None:
    data = {"kind": "features", "dataset": "d0", "speed": 3}
    found = problems(client, data=data, colour="red", seeds=[])
    assert set(found) == {"data.dataset", "data.speed", "colour", "seeds"}
    training = {"batch_size": 4096}
    found = problems(
        client,
        data={"kind": "features", "dataset": ids["features"]},
        training=training,
        colour="red",
    )
    assert set(found) == {"training.batch_size", "colour"}
    broken: list[Any] = [None, 3, {"kind": ["features"]}, {"kind": "features", "dataset": {}}]
    for section in broken:
        assert problems(client, data=section)


def test_a_batch_that_its_training_split_cannot_fill(
    client: httpx.Client, ids: dict[str, str]
) -> None:
    data = {"kind": "features", "dataset": ids["features"]}  # 4 classes of 10, of which 6 train
    assert problems(client, data=data, training={"batch_size": 24}) == {}
    found = problems(client, data=data, training={"batch_size": 25})
    assert found == {"training.batch_size": found["training.batch_size"]}
    assert "25 is more than the 24 training items" in found["training.batch_size"]
    sampler = {"kind": "m_per_class", "m": 2}
    found = problems(client, data=data, training={"batch_size": 10, "sampler": sampler})
    assert "5 classes a batch" in found["training.sampler.m"]
    arms = [{**small()["arms"][0], "training": {"batch_size": 100}}]
    found = problems(client, data=data, training={"batch_size": 24}, arms=arms)
    assert list(found) == ["arms[0].training.batch_size"]


def test_a_split_by_class_needs_classes(client: httpx.Client, ids: dict[str, str]) -> None:
    data = {"kind": "features", "dataset": ids["features"], "split": "class"}
    found = problems(client, data=data)
    few = {"batch_size": 8}
    assert "needs 8 classes or more" in found["data.split"]
    assert problems(client, data={**data, "validation": "items"}, training=few) == {}


@pytest.mark.parametrize(
    "split_by", [("item", "classes"), ("class", "classes"), ("class", "items")]
)
@pytest.mark.parametrize("sizes", [[11] * 12, [2, 3, 40, 5, 11, 6, 9, 30, 2, 2, 8, 13]])
def test_the_training_share_is_the_same_as_the_workers(
    sizes: list[int], split_by: tuple[Any, Any]
) -> None:
    by, validation = split_by
    data = FeaturesData(dataset="d", split=by, validation=validation)
    items, classes = training_share(sizes, data)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    trained = [split(labels, by=by, validation=validation, seed=seed).train for seed in range(60)]
    assert max(len(index) for index in trained) == items
    assert {len(np.unique(labels[index])) for index in trained} == {classes}


@pytest.mark.parametrize("split_by", [("item", "classes"), ("class", "items")])
def test_classes_too_small_to_validate(
    client: httpx.Client, tmp_path: Path, split_by: tuple[Any, Any]
) -> None:
    by, validation = split_by
    most = 7 if by == "item" else 9
    for each in (most, most + 1):
        labels = np.repeat(np.arange(6), each)
        columns = {**table(rows=6 * each), "labels": labels}
        made = upload(client, npz(tmp_path / f"{each}.npz", columns), "features")
        data = {"kind": "features", "dataset": made["id"], "split": by, "validation": validation}
        found = problems(client, data=data)
        if each == most:
            assert found["data.split"].startswith(f"'ours' needs {most + 1} items or more")
            assert f"has {most}" in found["data.split"]
            with pytest.raises(DataError, match="validation split"):
                split(labels, by=by, validation=validation, seed=0)
        else:
            assert found == {}
            split(labels, by=by, validation=validation, seed=0)


@pytest.mark.parametrize("validation", ["classes", "items"])
def test_the_least_classes_are_the_same_as_the_workers(validation: Any) -> None:
    least = MIN_CLASSES[validation]
    split(np.repeat(np.arange(least), 10), by="class", validation=validation, seed=0)
    with pytest.raises(DataError, match="split by item"):
        split(np.repeat(np.arange(least - 1), 10), by="class", validation=validation, seed=0)


def test_a_refused_comparison_does_not_hold_its_data(api: Api, tmp_path: Path) -> None:
    made = upload(api.http, npz(tmp_path / "b.npz", table(rows=80)), "features")
    assert problems(api.http, data={"kind": "features", "dataset": made["id"]}, seeds=[])
    assert api.http.delete(f"/api/v1/datasets/{made['id']}").status_code == 204
