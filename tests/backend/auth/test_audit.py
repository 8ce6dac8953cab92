"""The trail: what is on it, who may read it, how long it gets."""

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
from tests.backend.people import ask, locked
from tests.support.specs import small

Served = tuple[Api, Parts]


@pytest.fixture
def house(serve: Serve, settings: Settings) -> Iterator[Served]:
    with serve(locked(settings)) as running:
        yield running


def trail(http: httpx.Client, **asked: Any) -> list[Json]:
    answer = ask(http, "admin", "GET", "/audit", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["entries"]
    return found


def short(entry: Json) -> tuple[str, str, str, Json, int]:
    call = f"{entry['method']} {entry['route']}"
    return entry["who"], entry["role"], call, entry["ids"], entry["status"]


def test_what_changes_something_is_on_it_refused_or_not_newest_first(house: Served) -> None:
    http = house[0].http
    own = ask(http, "editor", "POST", "/comparisons", json=small()).json()["id"]
    path = "/comparisons/{comparison}"
    ids = {"comparison": own}
    ask(http, "editor", "GET", f"/comparisons/{own}")
    ask(http, "editor", "POST", "/comparisons", json=small(seeds=[]))
    ask(http, "editor", "DELETE", f"/comparisons/{own}")
    ask(http, None, "POST", f"/comparisons/{own}/cancel")
    ask(http, "admin", "DELETE", f"/comparisons/{own}")
    ask(http, "admin", "DELETE", f"/comparisons/{own}")
    assert [short(entry) for entry in trail(http)] == [
        ("Adam", "admin", f"DELETE {path}", ids, 404),
        ("Adam", "admin", f"DELETE {path}", ids, 204),
        ("", "", f"POST {path}/cancel", {}, 401),
        ("Edda", "editor", f"DELETE {path}", {}, 403),
        ("Edda", "editor", "POST /comparisons", {}, 422),
        ("Edda", "editor", "POST /comparisons", ids, 201),
    ]
    assert [short(entry)[0] for entry in trail(http, who="Edda")] == ["Edda"] * 3
    assert [short(entry)[4] for entry in trail(http, who="")] == [401]
    assert [short(entry)[4] for entry in trail(http, page=2, page_size=4)] == [422, 201]


def test_what_workers_say_is_not_on_it(house: Served) -> None:
    api, _ = house
    assert api.internal("/workers/w/seen", {"device": "cpu", "host": "h", "pid": 1}).is_success
    assert api.claim() is None
    assert trail(api.http) == []


def test_an_open_house_says_that_names_are_only_told(api: Api) -> None:
    own = api.submit()
    headers = {"X-Lossboard-User": "Ada"}
    api.http.post(f"/api/v1/comparisons/{own}/cancel", headers=headers)
    entries = api.get("/audit")["entries"]
    assert [(entry["who"], entry["role"]) for entry in entries] == [
        ("Ada", "open"),
        ("local", "open"),
    ]


def test_a_server_error_is_on_it_too(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    api, _ = house

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("backend.runs.repository.cancel", break_down)
    own = ask(api.http, "editor", "POST", "/comparisons", json=small()).json()["id"]
    assert ask(api.http, "editor", "POST", f"/comparisons/{own}/cancel").status_code == 500
    with httpx.Client(base_url=api.http.base_url) as again:  # the server closes the first one's
        assert trail(again)[0]["status"] == 500


def test_strangers_cannot_push_what_matters_off_it(house: Served) -> None:
    api, _ = house
    ask(api.http, "editor", "POST", "/comparisons", json=small())
    for _ in range(int(ANONYMOUS_PER_MIN) + 40):
        assert ask(api.http, None, "POST", "/comparisons").status_code == 401
    assert len(trail(api.http, who="", page_size=200)) < ANONYMOUS_PER_MIN + 40
    assert len(trail(api.http, who="Edda")) == 1


def test_an_answer_is_given_though_the_trail_cannot_be_written(
    house: Served, caplog: pytest.LogCaptureFixture
) -> None:
    api, parts = house
    with parts.database.write() as write:
        write.session.connection().execute(text("DROP TABLE audit"))
    assert ask(api.http, "editor", "POST", "/comparisons", json=small()).status_code == 201
    assert "not on the trail: POST /comparisons, status 201" in caplog.text
    assert TOKEN not in caplog.text


def test_it_keeps_so_many_and_the_newest(database: Database) -> None:
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
        audit.add_entry(database, entry, kept=4)
    with database.read() as session:
        found, total = audit.entries_page(session, who=None, page=1, page_size=10)
    assert total == 4
    assert [entry.who for entry in found] == ["p9", "p8", "p7", "p6"]
    assert [entry.ids for entry in found] == [{"x": "a\0b"}] * 4
    assert audit.MAX_ENTRIES == 100_000
