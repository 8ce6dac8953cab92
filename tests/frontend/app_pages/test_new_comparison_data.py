"""Own data on the page of a new comparison: uploads, paths, and the encoders that take them."""

from pathlib import Path

import httpx

from frontend.api.client import Api
from tests.support.form_page import opened, press, run, said, stored
from tests.support.tiny_sets import image_files, npz, table, zipped
from tests.support.tiny_texts import columns, write_csv


def put(client: httpx.Client, kind: str, file: Path, name: str = "mine") -> str:
    """The id of an uploaded data set."""
    with file.open("rb") as content:
        return Api(client).upload(name, kind, content, file.name)["id"]


def test_own_data_offer_the_uploads_of_their_kind_or_a_path(
    http: httpx.Client, tmp_path: Path
) -> None:
    first = put(http, "features", npz(tmp_path / "a.npz", table()), "first")
    images = put(http, "image_folder", zipped(tmp_path / "a.zip", image_files()), "shoes")
    at = opened(http)
    at.selectbox(key="new.data.kind").set_value("features")
    run(at)
    chosen = at.selectbox(key="new.data.dataset")
    assert chosen.options[1:] == ["first: 40 items, 4 classes"]
    assert chosen.value == first, "the newest upload stands there at once"
    assert "MLP, the one that takes vectors" in said(at)
    keys = {widget.key for widget in [*at.text_input, *at.selectbox]}
    assert "new.data.file" not in keys
    assert "new.training.augmentation" not in keys

    at.selectbox(key="new.data.kind").set_value("image_folder")
    run(at)
    assert at.selectbox(key="new.data.dataset").value == images
    assert at.selectbox(key="new.training.augmentation").value == "none"
    at.selectbox(key="new.data.dataset").set_value("")
    run(at)
    at.text_input(key="new.data.folder").set_value("/data/shoes")
    at.selectbox(key="new.encoder.kind").set_value("convnet")
    press(at, "new_start")
    [spec] = stored(http)
    assert (spec["data"]["dataset"], spec["data"]["folder"]) == ("", "/data/shoes")


def test_without_uploads_there_is_a_link_and_the_missing_path_is_marked(
    http: httpx.Client,
) -> None:
    at = opened(http)
    at.selectbox(key="new.data.kind").set_value("image_folder")
    run(at)
    assert "None uploaded yet: upload" in [link.proto.label for link in at.get("page_link")]
    press(at, "new_start")
    assert "needs the id of an uploaded data set or a path" in said(at)
    assert ".st-key-new-data-dataset " in said(at)


def test_a_head_under_a_backbone_becomes_an_mlp_of_its_own_and_back(http: httpx.Client) -> None:
    at = opened(http, preset="mlrc")  # a linear head, hidden units 0
    at.selectbox(key="new.data.kind").set_value("features")
    run(at)
    assert at.number_input(key="new.encoder.layers").value == 0
    assert "new.encoder.hidden" not in {field.key for field in at.number_input}
    at.number_input(key="new.encoder.layers").set_value(1)
    run(at)
    assert at.number_input(key="new.encoder.hidden").value == 256
    at.selectbox(key="new.data.kind").set_value("cub200")
    run(at)
    at.selectbox(key="new.encoder.kind").set_value("resnet18")
    run(at)
    assert at.number_input(key="new.encoder.hidden").value == 0
    at.number_input(key="new.encoder.hidden").set_value(64)
    run(at)
    at.selectbox(key="new.encoder.kind").set_value("mlp")
    run(at)
    assert at.number_input(key="new.encoder.layers").value == 1
    assert at.number_input(key="new.encoder.hidden").value == 64


def test_validation_is_asked_of_a_split_by_class_only(http: httpx.Client) -> None:
    at = opened(http, preset="z25-retrieval")
    assert at.selectbox(key="new.data.validation").value == "classes"
    at.selectbox(key="new.data.split").set_value("item")
    run(at)
    assert "new.data.validation" not in {widget.key for widget in at.selectbox}


def test_an_upload_that_was_deleted_meanwhile_is_reported(
    http: httpx.Client, tmp_path: Path
) -> None:
    own = put(http, "features", npz(tmp_path / "a.npz", table()))
    at = opened(http, dataset=own)
    assert at.number_input(key="new.training.batch_size").value == 8
    Api(http).delete_dataset(own)
    run(at)
    assert f"{own} (deleted)" in at.selectbox(key="new.data.dataset").options
    press(at, "new_start")
    assert f"there is no uploaded data set &#x27;{own}&#x27;" in said(at)
    assert "There is no uploaded data set" in said(opened(http, dataset="d404"))


def test_a_preset_that_needs_an_upload_says_so_and_takes_the_one_there_is(
    http: httpx.Client, tmp_path: Path
) -> None:
    at = opened(http, preset="clinc150-detail")
    assert "Upload CLINC150 on the Data page first" in at.info[0].value
    press(at, "new_start")
    assert "needs the id of an uploaded data set or a path" in said(at)
    assert stored(http) == []
    made = put(http, "text", write_csv(tmp_path / "a.csv", columns()), "requests")
    at = opened(http, preset="clinc150-detail")
    assert at.selectbox(key="new.data.dataset").value == made
    assert at.selectbox(key="new.encoder.kind").options == ["Static text", "Transformer for text"]
    at.number_input(key="new.training.batch_size").set_value(16)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["data"] == {
        "kind": "text",
        "dataset": made,
        "file": "",
        "split": "given",
        "validation": "classes",
        "seed": 0,
    }
    assert (spec["encoder"]["kind"], spec["encoder"]["model"]) == ("static_text", "")
