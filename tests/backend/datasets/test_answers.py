"""Uploads that can be read in several ways: they wait until somebody says in which."""

import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from backend.maintenance.retention import UNANSWERED_S, Retention
from backend.state import Parts
from tests.backend.dataset_uploads import URL, files_left, image_archive, post_file
from tests.backend.helpers import TOKEN, Api, Json, check_error
from tests.support.specs import small
from tests.support.tiny_sets import npz, table

CUBE = np.random.default_rng(1).normal(size=(40, 3, 5)).astype(np.float32)


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """Features of three dimensions."""
    return npz(tmp_path / "cube.npz", {**table(), "features": CUBE})


def waiting(client: httpx.Client, file: Path, kind: str = "features") -> Json:
    """Upload a file about which there is a question, and return the answer."""
    answer = post_file(client, file, kind)
    assert answer.status_code == 202, answer.text
    body: Json = answer.json()
    assert body["state"] == "unanswered"
    return body


def answered(client: httpx.Client, dataset: str, **answers: object) -> httpx.Response:
    return client.post(f"{URL}/{dataset}/answers", json=answers)


@pytest.mark.both_databases
def test_a_file_waits_for_an_answer_and_is_then_an_ordinary_data_set(
    api: Api, parts: Parts, cube: Path
) -> None:
    asked = waiting(api.http, cube)
    [question] = asked["questions"]
    assert question["name"] == "dimensions"
    assert "features has shape (40, 3, 5)" in question["text"]
    assert [one["value"] for one in question["choices"]] == ["flatten", "mean", "pool"]
    assert (asked["items"], asked["classes"], asked["answers"]) == (0, 0, {})
    assert api.get(f"/datasets/{asked['id']}")["questions"] == asked["questions"]

    answer = answered(api.http, asked["id"], dimensions="flatten")
    assert answer.status_code == 200
    ready = answer.json()
    assert (ready["state"], ready["questions"]) == ("ready", [])
    assert ready["answers"] == {"dimensions": "flatten"}
    assert (ready["items"], ready["shape"]) == (40, {"features": 15})
    assert (ready["name"], ready["created_at"]) == (asked["name"], asked["created_at"])
    assert ready["id"] != asked["id"]
    assert [one["id"] for one in api.get("/datasets")["datasets"]] == [ready["id"]]
    assert files_left(parts) == sorted([".incoming", ready["id"], f"{ready['id']}/content"])
    check_error(api.http.get(f"{URL}/{asked['id']}"), 404, "not_found")
    check_error(answered(api.http, ready["id"], dimensions="mean"), 409, "conflict")


def test_an_answer_may_come_with_the_file(api: Api, cube: Path) -> None:
    ready = post_file(api.http, cube, "features", dimensions="flatten")
    assert ready.status_code == 201
    assert ready.json()["shape"] == {"features": 15}
    asked = waiting(api.http, cube)
    later = answered(api.http, asked["id"], dimensions="flatten")
    assert later.json() == ready.json(), "the same file with the same answers is the same data set"
    assert [one["id"] for one in api.get("/datasets")["datasets"]] == [ready.json()["id"]]
    again = post_file(api.http, cube, "features", dimensions="flatten")
    assert again.status_code == 200


def test_other_answers_make_another_data_set(api: Api, cube: Path) -> None:
    shapes = {}
    for way in ("flatten", "mean", "pool"):
        made = post_file(api.http, cube, "features", dimensions=way).json()
        shapes[made["id"]] = made["shape"]["features"]
    assert list(shapes.values()) == [15, 5, 3]


def test_workers_learn_the_answers(api: Api, cube: Path) -> None:
    made = post_file(api.http, cube, "features", dimensions="pool").json()
    path = f"/api/v1/internal/datasets/{made['id']}/answers"
    told = api.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert told.json() == {"dimensions": "pool"}
    check_error(api.http.get(path), 401, "unauthorized")


def test_a_file_that_waits_cannot_be_compared_on(api: Api, cube: Path) -> None:
    asked = waiting(api.http, cube)
    data = {"kind": "features", "dataset": asked["id"]}
    spec = small(data=data, training={"batch_size": 8})
    body = check_error(api.http.post("/api/v1/comparisons", json=spec), 422, "invalid_spec")
    [field] = body["fields"]
    assert field["path"] == "data.dataset"
    assert "waits for answers" in field["message"]


def test_with_problems_it_still_waits_for_other_answers(
    api: Api, parts: Parts, tmp_path: Path
) -> None:
    bad = CUBE.copy()
    bad[4, 1, 2] = np.nan
    asked = waiting(api.http, npz(tmp_path / "bad.npz", {**table(), "features": bad}))
    refused = check_error(
        answered(api.http, asked["id"], dimensions="mean"), 422, "invalid_dataset"
    )
    assert refused["fields"][0]["path"] == "row 4, column f2"
    assert api.get(f"/datasets/{asked['id']}") | asked == api.get(f"/datasets/{asked['id']}")
    assert files_left(parts) == sorted([".incoming", asked["id"], f"{asked['id']}/content"])


def test_answers_that_are_none(api: Api, cube: Path, tmp_path: Path) -> None:
    asked = waiting(api.http, cube)
    for body in ({"dimensions": "sum"}, {"speed": 3}, {"dimensions": ["flatten"]}):
        [field] = check_error(
            api.http.post(f"{URL}/{asked['id']}/answers", json=body), 422, "invalid_request"
        )["fields"]
        assert field["path"] == next(iter(body))
    assert answered(api.http, asked["id"]).status_code == 202, "no answer: the question stays"
    check_error(answered(api.http, "d0", dimensions="mean"), 404, "not_found")
    images = image_archive(tmp_path)
    refused = check_error(
        post_file(api.http, images, "image_folder", dimensions="mean"), 422, "invalid_request"
    )
    assert "is not a question about data of kind" in refused["fields"][0]["message"]
    refused = check_error(
        post_file(api.http, cube, "nothing", dimensions="sum"), 422, "invalid_request"
    )
    assert {field["path"] for field in refused["fields"]} == {"kind", "dimensions"}


def test_it_can_be_deleted_and_goes_when_nobody_answers(
    api: Api, parts: Parts, cube: Path, tmp_path: Path
) -> None:
    asked = waiting(api.http, cube)
    assert api.http.delete(f"{URL}/{asked['id']}").status_code == 204
    assert files_left(parts) == [".incoming"]
    asked = waiting(api.http, cube)
    kept = post_file(api.http, npz(tmp_path / "a.npz", table()), "features").json()
    for age, left in ((-60, {asked["id"], kept["id"]}), (60, {kept["id"]})):
        _retention(parts, time.time() + UNANSWERED_S + age).step()
        assert {one["id"] for one in api.get("/datasets")["datasets"]} == left
    assert asked["id"] not in files_left(parts)


def _retention(parts: Parts, now: float) -> Retention:
    days = {"raw_days": None, "snapshot_days": None}
    return Retention(parts.database, parts.blobs, parts.uploads, **days, clock=lambda: now)
