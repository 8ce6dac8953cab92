"""Tables of texts over HTTP: uploaded, asked about, refused without a trace, and used in specs."""

from pathlib import Path
from typing import Any

import pytest

from backend.state import Parts
from tests.backend.dataset_uploads import URL, files_left, is_clean, post_file, upload
from tests.backend.helpers import Api, check_error
from tests.support.specs import small
from tests.support.tiny_texts import columns, write_csv, write_json_lines

ENCODER = {"kind": "static_text", "embedding_dim": 8}


def spec(dataset: str, **changes: Any) -> dict[str, Any]:
    data = {"kind": "text", "dataset": dataset, **changes.pop("data", {})}
    return small(data=data, encoder=ENCODER, training={"epochs": 1, "batch_size": 8}, **changes)


@pytest.mark.both_databases
def test_a_table_is_kept_with_what_is_known_of_it(api: Api, parts: Parts, tmp_path: Path) -> None:
    own = columns()
    made = upload(api.http, write_csv(tmp_path / "a.csv", own), "text", "requests")
    assert (made["items"], made["class_names"], made["has_fine"]) == (64, ["cat", "dog"], True)
    characters = sorted(map(len, own["text"]))
    assert made["shape"] == {
        "shortest": characters[0],
        "median": (characters[31] + characters[32]) // 2,
        "longest": characters[-1],
    }
    assert made["has_split"]
    detail = api.get(f"/datasets/{made['id']}")
    assert detail["counts"] == [32, 32]
    assert len(detail["texts"]) == 30
    for shown in detail["texts"]:
        assert own["label"][own["text"].index(shown["text"])] == shown["class_name"]
    assert files_left(parts) == sorted([".incoming", made["id"], f"{made['id']}/content"])


def test_of_a_refused_table_nothing_is_left(api: Api, parts: Parts, tmp_path: Path) -> None:
    own = columns()
    own["text"][3], own["text"][5], own["label"][7] = " ", "x" * 1_000_000, ""
    own["id"][9] = own["id"][8]
    for write in (write_csv, write_json_lines):
        answer = post_file(api.http, write(tmp_path / "a", own), "text")
        body = check_error(answer, 422, "invalid_dataset")
        where = [one["path"] for one in body["fields"]]
        assert where == ["row 3, text", "row 5, text", "row 7, label", "row 9, id"]
        assert is_clean(api.http, parts)
    body = check_error(
        post_file(api.http, write_csv(tmp_path / "b", columns()), "features"),
        422,
        "invalid_dataset",
    )
    assert "upload it as 'text'" in body["fields"][0]["message"]
    assert is_clean(api.http, parts)


def test_columns_of_other_names_are_asked_about(api: Api, tmp_path: Path) -> None:
    own = columns()
    renamed = {"request": own["text"], "area": own["label"], "aim": own["fine_label"]}
    answer = post_file(api.http, write_csv(tmp_path / "a.csv", renamed), "text")
    assert answer.status_code == 202
    made = answer.json()
    assert made["state"] == "unanswered"
    [question] = made["questions"]
    assert question["name"] == "columns"
    told = {"columns": {"text": "request", "labels": "area", "fine_labels": "aim"}}
    answered = api.http.post(f"{URL}/{made['id']}/answers", json=told)
    assert answered.status_code == 200, answered.text
    ready = answered.json()
    assert (ready["state"], ready["items"], ready["has_fine"]) == ("ready", 64, True)
    assert ready["answers"] == told


def test_a_spec_is_held_against_the_table(api: Api, tmp_path: Path) -> None:
    made = upload(api.http, write_csv(tmp_path / "a.csv", columns()), "text")
    preview = api.http.post("/api/v1/comparisons/preview", json=spec(made["id"]))
    assert preview.status_code == 200, preview.text
    train = preview.json()["splits"]["train"]
    assert train["items"] == {"least": 38, "most": 38, "about": False}
    assert preview.json()["arms"][0]["memory"]["items"] == 4 * 256 * 64
    given = api.http.post(
        "/api/v1/comparisons/preview", json=spec(made["id"], data={"split": "given"})
    )
    sizes = {name: part["items"]["least"] for name, part in given.json()["splits"].items()}
    assert sizes == {"train": 32, "validation": 16, "test": 16}
    plain = {name: values for name, values in columns().items() if name != "split"}
    other = upload(api.http, write_csv(tmp_path / "b.csv", plain), "text")
    refused = api.http.post("/api/v1/comparisons", json=spec(other["id"], data={"split": "given"}))
    [problem] = check_error(refused, 422, "invalid_spec")["fields"]
    assert problem["path"] == "data.split"
    assert "has no split of its own, a column `split`" in problem["message"]
    mlp = {**spec(made["id"]), "encoder": {"kind": "mlp"}}
    [problem] = check_error(api.http.post("/api/v1/comparisons", json=mlp), 422, "invalid_spec")[
        "fields"
    ]
    assert "take 'static_text', 'transformer_text'" in problem["message"]
