"""Data that come as tuples on the page of a new comparison, against a real API."""

from pathlib import Path

import httpx
import numpy as np

from frontend.api.client import Api
from tests.support.form_page import opened, press, run, said, stored

KIND, ARM = "new.data.kind", "new.arms.{}.loss.kind"


def put(client: httpx.Client, kind: str, file: Path, name: str) -> str:
    with file.open("rb") as content:
        return Api(client).upload(name, kind, content, file.name)["id"]


def test_only_what_goes_with_a_shape_is_offered(http: httpx.Client) -> None:
    at = opened(http)
    at.selectbox(key="new.training.sampler.kind").set_value("m_per_class")
    at.selectbox(key="new.arms.1.loss.selection").set_value("semi_hard")
    run(at)
    at.selectbox(key=KIND).set_value("generated_tuples")
    run(at)
    assert at.selectbox(key=ARM.format(0)).options == [
        "Contrastive",
        "Triplet",
        "InfoNCE / NT-Xent",
    ]
    keys = {widget.key for widget in at.selectbox}
    assert "new.training.sampler.kind" not in keys
    assert "new.arms.1.loss.selection" not in keys
    assert "864" in said(at), "the tuples that train, in the preview"
    at.selectbox(key="new.data.shape").set_value("scored_pairs")
    run(at)
    assert "CoSENT, the loss that trains on these data" in said(at)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["data"]["shape"] == "scored_pairs"
    assert {arm["loss"]["kind"] for arm in spec["arms"]} == {"cosent"}
    assert spec["training"]["sampler"]["kind"] == "shuffle"


def test_back_to_classes_the_losses_fit_again(http: httpx.Client) -> None:
    at = opened(http)
    at.selectbox(key=KIND).set_value("generated_tuples")
    run(at)
    at.selectbox(key="new.data.shape").set_value("labelled_pairs")
    run(at)
    at.selectbox(key=ARM.format(1)).set_value("cosent")
    run(at)
    at.selectbox(key=KIND).set_value("digits")
    run(at)
    assert "CoSENT" not in at.selectbox(key=ARM.format(1)).options
    press(at, "new_start")
    [spec] = stored(http)
    assert "cosent" not in {arm["loss"]["kind"] for arm in spec["arms"]}


def test_an_upload_of_tuples_with_items_of_a_feature_table(
    http: httpx.Client, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("anchor,positive\n" + "\n".join(f"q{i},a{i}" for i in range(40)))
    own = put(http, "pairs", pairs, "questions")
    ids = [f"{side}{i}" for i in range(40) for side in "qa"]
    points = np.random.default_rng(0).normal(size=(80, 4))
    np.savez(tmp_path / "t.npz", features=points, labels=np.arange(80) % 2, ids=np.array(ids))
    table = put(http, "features", tmp_path / "t.npz", "vectors")
    at = opened(http, dataset=own)
    chosen = at.selectbox(key="new.data.dataset")
    assert chosen.options[1:] == ["questions: 40 tuples"]
    assert at.text_input(key="new.name").value == "questions: contrastive vs triplet vs info_nce"
    assert at.selectbox(key="new.data.items").options == ["texts", "vectors: 80 rows"]
    at.selectbox(key="new.data.items").set_value(table)
    run(at)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["data"] == {
        "kind": "pairs",
        "dataset": own,
        "file": "",
        "items": table,
        "split": "groups",
        "seed": 0,
    }
    assert spec["encoder"]["kind"] == "mlp"


def test_a_search_goes_by_a_metric_of_tuples(http: httpx.Client) -> None:
    at = opened(http, preset="text-pairs")
    at.toggle(key="new.tuning").set_value(True)
    run(at)
    objective = at.selectbox(key="new.tuning.objective")
    assert objective.value == "pairs.mrr"
    assert "MAP@R" not in objective.options
    at.number_input(key="new.tuning.trials").set_value(2)
    press(at, "new_start")
    [spec] = stored(http)
    assert spec["tuning"]["objective"] == "pairs.mrr"
