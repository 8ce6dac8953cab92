"""The preview over HTTP: figures of a spec that is not stored."""

from pathlib import Path

import pytest
from sqlmodel import select

from backend.db.models import Audit, Comparison
from backend.runs import repository as runs
from backend.state import Parts
from tests.backend.dataset_uploads import feature_table, upload
from tests.backend.helpers import Api, Json, check_error
from tests.support.specs import small
from tests.support.tuned import store_tuned, tuned


def preview(api: Api, **changes: object) -> Json:
    answer = api.http.post("/api/v1/comparisons/preview", json=small(**changes))
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_a_preview_has_the_figures_and_stores_nothing(api: Api, parts: Parts) -> None:
    found = preview(api, seeds=[0, 1, 2])
    assert found["runs"] == {"trials": 0, "trial_runs": 0, "final_runs": 3}
    train = found["splits"]["train"]
    assert train["items"] == {"least": 1074, "most": 1074, "about": False}
    assert train["classes"]["least"] == 10
    assert train["smallest_class"]["least"] == 104
    assert found["arms"][0]["steps"]["least"] == 128
    assert found["arms"][0]["tuples"]["unit"] == "triplets"
    memory = found["arms"][0]["memory"]
    assert memory["items"] == 1797 * 64 * 4
    assert memory["total"] >= memory["items"] + memory["network"]
    assert found["warnings"] == []
    with parts.database.read() as session:
        assert session.exec(select(Comparison)).all() == []
        assert session.exec(select(Audit)).all() == []


def test_a_spec_with_problems_is_refused_as_at_the_start(api: Api) -> None:
    raw = small(seeds=[], training={"epochs": 0})
    bodies = [
        check_error(api.http.post(f"/api/v1/comparisons{path}", json=raw), 422, "invalid_spec")
        for path in ("", "/preview")
    ]
    assert bodies[0] == bodies[1]
    missing = small(data={"kind": "features", "dataset": "d1"})
    answer = api.http.post("/api/v1/comparisons/preview", json=missing)
    body = check_error(answer, 422, "invalid_spec")
    assert body["fields"][0]["path"] == "data.dataset"


def test_an_upload_is_known_by_its_facts(api: Api, tmp_path: Path) -> None:
    own = upload(api.http, feature_table(tmp_path), "features")
    found = preview(
        api,
        data={"kind": "features", "dataset": own["id"]},
        training={"epochs": 1, "batch_size": 4},
    )
    parts = found["splits"]
    assert sum(parts[name]["items"]["least"] for name in parts) == own["items"]
    assert parts["train"]["classes"]["least"] == own["classes"]
    assert found["arms"][0]["memory"]["items"] > 0


def test_data_on_the_workers_machine_are_known_once_read(api: Api) -> None:
    found = preview(api, data={"kind": "features", "file": "/data/a.npz"})
    assert found["splits"]["train"] == {"items": None, "classes": None, "smallest_class": None}
    assert found["arms"][0]["steps"] is None


def test_the_time_follows_from_an_earlier_comparison_like_it(api: Api, parts: Parts) -> None:
    unknown = preview(api)["schedule"]
    assert (unknown["slots"], unknown["work_s"], unknown["basis"]) == (0, None, None)
    before = api.submit()
    given = api.claim()
    assert given is not None
    with parts.database.write() as write:
        run = runs.get(write.session, given["run"])
        run.step = run.total_steps = 128
        run.started_at, run.steps_per_epoch = 100.0, 16
        runs.end(write, run, state="succeeded", failure=None, now=110.0)
    assert api.get(f"/comparisons/{before}")["state"] == "succeeded"
    found = preview(api, seeds=[0, 1, 2])["schedule"]
    assert found == {
        "slots": 1,
        "waiting": 0,
        "work_s": 30.0,
        "begins_in_s": 0.0,
        "ends_in_s": 30.0,
        "basis": "earlier",
    }
    api.internal("/workers/w2/seen", {"device": "cpu", "host": "h", "pid": 1})
    api.submit(name="waits", seeds=[0, 1])
    found = preview(api, seeds=[0, 1, 2])["schedule"]
    assert (found["waiting"], found["begins_in_s"], found["ends_in_s"]) == (2, 10.0, 30.0)
    on_gpu = preview(api, training={"epochs": 8, "batch_size": 64, "device": "cuda"})["schedule"]
    assert (on_gpu["slots"], on_gpu["begins_in_s"]) == (0, None)


def test_a_search_is_planned_with_its_trials(api: Api, parts: Parts) -> None:
    store_tuned(parts.database, {"pull": ["complete"], "rank": ["complete"]})
    api.internal("/workers/w/seen", {"device": "cpu", "host": "h", "pid": 1})
    spec = tuned(trials=3)  # 12 runs of trials of 10 s, 4 final ones of 15 s
    answer = api.http.post("/api/v1/comparisons/preview", json=spec)
    planned = answer.json()["schedule"]
    assert planned["work_s"] == pytest.approx(12 * 10 + 4 * 15)
    assert planned["ends_in_s"] == pytest.approx(12 * 10 + 4 * 15)
