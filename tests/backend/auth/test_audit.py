"""The audit log: what it records, who may read it, how many entries it keeps."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.auth import audit
from backend.auth.audit import ANONYMOUS_PER_MIN
from backend.db.database import Database
from backend.db.models import Audit
from backend.settings import Settings
from backend.state import Parts
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api, Json
from tests.backend.token_users import call_as, with_tokens
from tests.support.specs import small

Served = tuple[Api, Parts]


@pytest.fixture
def secured(serve: Serve, settings: Settings) -> Iterator[Served]:
    with serve(with_tokens(settings)) as running:
        yield running


def read_log(http: httpx.Client, **asked: Any) -> list[Json]:
    answer = call_as(http, "admin", "GET", "/audit", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["entries"]
    return found


def summary(entry: Json) -> tuple[str, str, str, Json, int]:
    call = f"{entry['method']} {entry['route']}"
    return entry["who"], entry["role"], call, entry["ids"], entry["status"]


def test_changes_are_recorded_refused_or_not_newest_first(secured: Served) -> None:
    http = secured[0].http
    own = call_as(http, "editor", "POST", "/comparisons", json=small()).json()["id"]
    path = "/comparisons/{comparison}"
    ids = {"comparison": own}
    call_as(http, "editor", "GET", f"/comparisons/{own}")
    call_as(http, "editor", "POST", "/comparisons", json=small(seeds=[]))
    call_as(http, "editor", "DELETE", f"/comparisons/{own}")
    call_as(http, None, "POST", f"/comparisons/{own}/cancel")
    call_as(http, "admin", "DELETE", f"/comparisons/{own}")
    call_as(http, "admin", "DELETE", f"/comparisons/{own}")
    assert [summary(entry) for entry in read_log(http)] == [
        ("Adam", "admin", f"DELETE {path}", ids, 404),
        ("Adam", "admin", f"DELETE {path}", ids, 204),
        ("", "", f"POST {path}/cancel", {}, 401),
        ("Edda", "editor", f"DELETE {path}", {}, 403),
        ("Edda", "editor", "POST /comparisons", {}, 422),
        ("Edda", "editor", "POST /comparisons", ids, 201),
    ]
    assert [summary(entry)[0] for entry in read_log(http, who="Edda")] == ["Edda"] * 3
    assert [summary(entry)[4] for entry in read_log(http, who="")] == [401]
    assert [summary(entry)[4] for entry in read_log(http, page=2, page_size=4)] == [422, 201]


def test_calls_of_workers_are_not_recorded(secured: Served) -> None:
    api, _ = secured
    assert api.internal("/workers/w/seen", {"device": "cpu", "host": "h", "pid": 1}).is_success
    assert api.claim() is None
    assert read_log(api.http) == []


def test_names_of_an_open_api_are_marked_as_open(api: Api) -> None:
    own = api.submit()
    headers = {"X-Lossboard-User": "Ada"}
    api.http.post(f"/api/v1/comparisons/{own}/cancel", headers=headers)
    entries = api.get("/audit")["entries"]
    assert [(entry["who"], entry["role"]) for entry in entries] == [
        ("Ada", "open"),
        ("local", "open"),
    ]


def test_a_server_error_is_recorded(secured: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    api, _ = secured

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("backend.runs.repository.cancel_all", break_down)
    own = call_as(api.http, "editor", "POST", "/comparisons", json=small()).json()["id"]
    assert call_as(api.http, "editor", "POST", f"/comparisons/{own}/cancel").status_code == 500
    with httpx.Client(base_url=api.http.base_url) as again:  # the first connection is closed
        assert read_log(again)[0]["status"] == 500


def test_unknown_callers_cannot_push_entries_out_of_the_log(secured: Served) -> None:
    api, _ = secured
    call_as(api.http, "editor", "POST", "/comparisons", json=small())
    for _ in range(int(ANONYMOUS_PER_MIN) + 40):
        assert call_as(api.http, None, "POST", "/comparisons").status_code == 401
    assert len(read_log(api.http, who="", page_size=200)) < ANONYMOUS_PER_MIN + 40
    assert len(read_log(api.http, who="Edda")) == 1


def test_a_call_is_answered_when_the_audit_log_cannot_be_written(
    secured: Served, caplog: pytest.LogCaptureFixture
) -> None:
    api, parts = secured
    with parts.database.write() as write:
        write.session.connection().execute(text("DROP TABLE audit"))
    assert call_as(api.http, "editor", "POST", "/comparisons", json=small()).status_code == 201
    assert "not on the trail: POST /comparisons, status 201" in caplog.text
    assert TOKEN not in caplog.text


def test_only_the_newest_entries_are_kept(database: Database) -> None:
    for number in range(10):
        entry = Audit(
            at=1.0,
            who=f"p{number}",
            role="admin",
            method="POST",
            route="/x",
            ids={"x": "a\0b"},
            status=200,
        )
        audit.add_entry(database, entry, limit=4)
    with database.read() as session:
        found, total = audit.entries_page(session, who=None, page=1, page_size=10)
    assert total == 4
    assert [entry.who for entry in found] == ["p9", "p8", "p7", "p6"]
    assert [entry.ids for entry in found] == [{"x": "a\0b"}] * 4
    assert audit.MAX_ENTRIES == 100_000
