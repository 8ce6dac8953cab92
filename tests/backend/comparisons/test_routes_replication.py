"""Splits as replicates, and practical bounds, over HTTP: refused with every problem at once, and
more seeds go on counting."""

import pytest

from tests.backend.helpers import Api, check_error
from tests.support.specs import small


@pytest.mark.both_databases
def test_more_seeds_keep_the_places_of_the_others(api: Api) -> None:
    made = api.submit(replicate="split", seeds=[5, 2], practical={"retrieval.": 0.02})
    spec = api.get(f"/comparisons/{made}")["spec"]
    assert (spec["replicate"], spec["practical"]) == ("split", {"retrieval.": 0.02})
    more = api.http.post(f"/api/v1/comparisons/{made}/seeds", json={"seeds": [9, 1]})
    assert more.status_code == 200, more.text
    assert more.json()["spec"]["seeds"] == [5, 2, 9, 1]
    claimed = api.claim()
    assert claimed is not None
    assert claimed["spec"]["seeds"] == [5, 2, 9, 1]
    assert claimed["spec"]["replicate"] == "split"


def test_more_seeds_than_there_are_data_seeds_are_refused(api: Api) -> None:
    data = {"kind": "digits", "seed": 2**31 - 2}
    made = api.submit(replicate="split", data=data, seeds=[0, 1])
    path = f"/api/v1/comparisons/{made}/seeds"
    body = check_error(api.http.post(path, json={"seeds": [1, 2]}), 422, "invalid_spec")
    assert [field["path"] for field in body["fields"]] == ["seeds[0]", "seeds"]
    assert "add fewer" in body["fields"][1]["message"]
    assert api.get(f"/comparisons/{made}")["spec"]["seeds"] == [0, 1]
    plain = api.submit(data=data, seeds=[0, 1])
    again = api.http.post(f"/api/v1/comparisons/{plain}/seeds", json={"seeds": [2]})
    assert again.status_code == 200


def test_all_problems_come_at_once(api: Api) -> None:
    spec = small(
        replicate="split",
        data={"kind": "image_folder", "folder": "/a", "split": "given", "seed": 2**31 - 1},
        encoder={"kind": "resnet18"},
        seeds=[0, 1],
        practical={"retrival.": 0.1, "geometry.mean_norm": 0.8, "detail.": -1},
        colour="red",
    )
    body = check_error(api.http.post("/api/v1/comparisons", json=spec), 422, "invalid_spec")
    assert {field["path"] for field in body["fields"]} == {
        "replicate",
        "data.seed",
        "practical.retrival.",
        "practical.geometry.mean_norm",
        "practical.detail.",
        "colour",
    }


@pytest.mark.parametrize(
    ("data", "noun"), [("digits", "split"), ("synthetic", "draw"), ("mnist", "draw")]
)
def test_a_replicate_is_named_after_its_data(api: Api, data: str, noun: str) -> None:
    encoder = {"kind": "convnet" if data == "mnist" else "mlp"}
    made = api.submit(replicate="split", data={"kind": data}, encoder=encoder)
    assert api.get(f"/comparisons/{made}")["replicate_noun"] == noun
    assert api.get(f"/comparisons/{api.submit()}")["replicate_noun"] == "seed"


def test_a_spec_without_the_keys_is_stored_with_what_they_meant(api: Api) -> None:
    spec = api.get(f"/comparisons/{api.submit()}")["spec"]
    assert (spec["replicate"], spec["practical"]) == ("seed", {})
