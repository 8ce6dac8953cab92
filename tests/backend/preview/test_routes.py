"""The preview over HTTP: figures of a spec that is not stored."""

from sqlmodel import select

from backend.db.models import Audit, Comparison
from backend.state import Parts
from tests.backend.helpers import Api, Json, check_error
from tests.support.specs import small


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


def test_data_on_the_workers_machine_are_known_once_read(api: Api) -> None:
    found = preview(api, data={"kind": "features", "file": "/data/a.npz"})
    assert found["splits"]["train"] == {"items": None, "classes": None, "smallest_class": None}
    assert found["arms"][0]["steps"] is None
