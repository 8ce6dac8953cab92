"""Tables of tuples over HTTP: uploaded, asked about, refused without a trace, and used in specs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.state import Parts
from tests.backend.dataset_uploads import is_clean, post_file, upload
from tests.backend.helpers import Api, check_error
from tests.support.specs import small

ENCODER = {"kind": "static_text", "embedding_dim": 8}


def table(path: Path, head: str, rows: list[str]) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def pairs(path: Path, count: int = 40, head: str = "anchor,positive") -> Path:
    return table(path, head, [f"q{i},a{i}" for i in range(count)])


def spec(dataset: str, **changes: Any) -> dict[str, Any]:
    data = {"kind": "pairs", "dataset": dataset, **changes.pop("data", {})}
    usual = {"data": data, "encoder": ENCODER, "training": {"epochs": 1, "batch_size": 8}}
    return small(**{**usual, **changes})


@pytest.mark.both_databases
def test_a_table_is_kept_with_what_is_known_of_it(api: Api, tmp_path: Path) -> None:
    rows = [f"q{i // 2},a{i},{i % 2}" for i in range(40)]
    made = upload(
        api.http, table(tmp_path / "a.csv", "first,second,same", rows), "labelled_pairs", "twos"
    )
    assert (made["items"], made["classes"]) == (40, 0)
    assert made["shape"] == {
        "distinct": 60,
        "groups": 20,
        "largest_group": 2,
        "longest": 3,
        "same": 20,
    }
    detail = api.get(f"/datasets/{made['id']}")
    assert [one["text"] for one in detail["texts"][:4]] == ["q0", "a0", "q0", "a1"]
    assert detail["texts"][1]["class_name"] == "1, second"


def test_of_a_refused_table_nothing_is_left(api: Api, parts: Parts, tmp_path: Path) -> None:
    rows = [f"q{i},a{i}" for i in range(20)]
    rows[3], rows[5], rows[7] = "q3,", "x,x", f"q7,{'y' * 1_000_000}"
    answer = post_file(api.http, table(tmp_path / "a.csv", "anchor,positive", rows), "pairs")
    body = check_error(answer, 422, "invalid_dataset")
    where = [one["path"] for one in body["fields"]]
    assert sorted(where) == ["row 3, positive", "row 5, positive", "row 7, positive"]
    assert is_clean(api.http, parts)
    answer = post_file(api.http, pairs(tmp_path / "b.csv"), "triplets")
    body = check_error(answer, 422, "invalid_dataset")
    assert "upload it as 'pairs'" in body["fields"][0]["message"]
    assert is_clean(api.http, parts)


def test_columns_are_asked_about(api: Api, tmp_path: Path) -> None:
    made = post_file(api.http, pairs(tmp_path / "a.csv", head="foo,bar"), "pairs").json()
    assert made["state"] == "unanswered"
    answers = {"columns": {"anchor": "foo", "positive": "bar"}}
    answer = api.http.post(f"/api/v1/datasets/{made['id']}/answers", json=answers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "ready"


def problems(api: Api, raw: dict[str, Any]) -> dict[str, str]:
    answer = api.http.post("/api/v1/comparisons", json=raw)
    if answer.status_code == 201:
        return {}
    body = check_error(answer, 422, "invalid_spec")
    return {one["path"]: one["message"] for one in body["fields"]}


def test_a_spec_is_checked_against_the_table(api: Api, tmp_path: Path) -> None:
    made = upload(api.http, pairs(tmp_path / "a.csv"), "pairs", "own")["id"]
    assert problems(api, spec(made)) == {}
    assert set(problems(api, spec(made, data={"split": "given"}))) == {"data.split"}
    large = problems(api, spec(made, training={"batch_size": 32}))
    assert large == {"training.batch_size": "32 is more than the 24 tuples of 'own' that train"}
    many = {"trials": 2, "objective": "pairs.mrr", "folds": 20}
    assert problems(api, spec(made, tuning={**many, "folds": 4})) == {}
    few = upload(api.http, pairs(tmp_path / "few.csv", 12), "pairs", "few")["id"]
    folds = problems(api, spec(few, training={"batch_size": 2}, tuning=many))
    assert "12 groups of linked items; 20 folds need 40" in folds["tuning.folds"]
    star = table(tmp_path / "s.csv", "anchor,positive", [f"q,a{i}" for i in range(20)])
    made = upload(api.http, star, "pairs", "star")
    assert "100% of the tuples are linked" in made["warnings"][0]["message"]
    found = problems(api, spec(made["id"]))
    assert "20 of its 20 tuples in one group" in found["data.split"]


def test_the_feature_table_of_the_items_must_fit(api: Api, tmp_path: Path) -> None:
    own = upload(api.http, pairs(tmp_path / "a.csv"), "pairs", "own")["id"]
    arrays: dict[str, Any] = {
        "features": np.random.default_rng(0).normal(size=(20, 4)),
        "labels": np.arange(20) % 2,
    }
    np.savez(tmp_path / "f.npz", **arrays)
    nameless = upload(api.http, tmp_path / "f.npz", "features", "nameless")["id"]
    np.savez(tmp_path / "g.npz", **arrays, ids=np.array([f"q{i}" for i in range(20)]))
    named = upload(api.http, tmp_path / "g.npz", "features", "named")["id"]
    mlp = {"encoder": {"kind": "mlp"}}
    assert problems(api, spec(own, data={"items": named}, **mlp)) == {}
    for items, words in (
        ("d0000", "there is no uploaded data set"),
        (own, "was uploaded as 'pairs'"),
        (nameless, "has no column `id`"),
    ):
        found = problems(api, spec(own, data={"items": items}, **mlp))
        assert words in found["data.items"]


def test_the_preview_counts_tuples(api: Api, tmp_path: Path) -> None:
    made = upload(api.http, pairs(tmp_path / "a.csv"), "pairs", "own")["id"]
    answer = api.http.post("/api/v1/comparisons/preview", json=spec(made)).json()
    train, test = answer["splits"]["train"], answer["splits"]["test"]
    assert train["items"] == {**{"least": 24, "most": 24}, "about": False}
    assert test["items"] == {**{"least": 8, "most": 8}, "about": False}
    assert train["classes"] is None
    assert answer["arms"][0]["steps"] == {**{"least": 3, "most": 3}, "about": False}
    generated = small(
        data={"kind": "generated_tuples", "per_request": 2},
        encoder=ENCODER,
        tuning={"trials": 2, "objective": "pairs.mrr", "folds": 3},
    )
    answer = api.http.post("/api/v1/comparisons/preview", json=generated).json()
    assert answer["splits"]["train"]["items"] == {**{"least": 576, "most": 576}, "about": False}
    assert answer["trial_splits"]["validation"]["items"] == {
        **{"least": 256, "most": 256},
        "about": False,
    }
