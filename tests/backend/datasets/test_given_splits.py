"""Uploads with folders such as train and test: merged, or kept as the split, as people answer."""

from pathlib import Path

import httpx
import pytest

from tests.backend.dataset_uploads import URL, image_archive, post_file
from tests.backend.helpers import Json, check_error
from tests.support.specs import small
from tests.support.tiny_sets import split_files, zipped


def problems(client: httpx.Client, data: Json, **training: object) -> Json:
    """Path -> message of a spec on these data."""
    encoder = {"kind": "convnet", "channels": 4, "embedding_dim": 8}
    spec = {**small(), "encoder": encoder, "data": {"kind": "image_folder", **data}}
    spec["training"] = {"epochs": 1, "batch_size": 8, **training}
    answer = client.post("/api/v1/comparisons", json=spec)
    if answer.status_code == 201:
        return {}
    body = check_error(answer, 422, "invalid_spec")
    return {field["path"]: field["message"] for field in body["fields"]}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two classes, 5 images of each in each folder."""
    files = split_files("train", "val", "test", each=5)
    return zipped(tmp_path / "a.zip", files)


def test_the_upload_waits_for_the_answer_and_both_work(client: httpx.Client, archive: Path) -> None:
    asked = post_file(client, archive, "image_folder")
    assert asked.status_code == 202, asked.text
    [question] = asked.json()["questions"]
    assert question["name"] == "split"
    kept = client.post(f"{URL}/{asked.json()['id']}/answers", json={"split": "keep"}).json()
    assert (kept["state"], kept["answers"]) == ("ready", {"split": "keep"})
    assert (kept["items"], kept["class_names"]) == (30, ["c0", "c1"])
    merged = post_file(client, archive, "image_folder", split="merge")
    assert merged.status_code == 201
    merged_id = merged.json()["id"]
    assert merged_id != kept["id"]
    assert problems(client, {"dataset": kept["id"], "split": "given"}) == {}
    assert problems(client, {"dataset": merged_id, "split": "item"}) == {}
    refused = problems(client, {"dataset": merged_id, "split": "given"})
    assert refused["data.split"].startswith("'ours' has no split of its own")


def test_the_training_part_bounds_the_batch(client: httpx.Client, archive: Path) -> None:
    kept = post_file(client, archive, "image_folder", split="keep").json()
    data = {"dataset": kept["id"], "split": "given"}
    assert problems(client, data, batch_size=10) == {}
    found = problems(client, data, batch_size=11)
    assert "more than the 10 training items of 'ours'" in found["training.batch_size"]


def test_a_part_that_nothing_can_be_measured_on(client: httpx.Client, tmp_path: Path) -> None:
    files = split_files("train", "test", each=10)
    few = {name: c for name, c in files.items() if not name.startswith("test/c1")}
    archive = zipped(tmp_path / "few.zip", few)
    kept = post_file(client, archive, "image_folder", split="keep").json()
    found = problems(client, {"dataset": kept["id"], "split": "given"})
    assert "needs two classes or more in its test part" in found["data.split"]
    few = {name: c for name, c in files.items() if name[-5] in "01"}
    kept = post_file(client, zipped(tmp_path / "b.zip", few), "image_folder", split="keep").json()
    found = problems(client, {"dataset": kept["id"], "split": "given"})
    assert "in its validation part" in found["data.split"]


def test_an_archive_without_such_folders_is_not_asked_about(
    client: httpx.Client, tmp_path: Path
) -> None:
    answer = post_file(client, image_archive(tmp_path), "image_folder", split="keep")
    assert answer.status_code == 201
    found = problems(client, {"dataset": answer.json()["id"], "split": "given"})
    assert "has no split of its own" in found["data.split"]
    check_error(
        post_file(client, image_archive(tmp_path), "image_folder", split="both"),
        422,
        "invalid_request",
    )
