"""Tokens over HTTP: added, used, expired, revoked, refused."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlmodel import select

from backend.auth import access
from backend.auth.access import AccessTokens
from backend.auth.stored_tokens import NewToken
from backend.auth.tokens import Tokens
from backend.db.database import Database
from backend.db.models import Audit, Token
from backend.errors import SettingsError
from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, check_error
from tests.backend.stored_tokens import store_token
from tests.backend.token_users import ENTRIES, bearer, call_as, with_tokens
from tests.support.specs import endless
from tests.support.waiting import until

pytestmark = pytest.mark.both_databases


@pytest.fixture
def secured(serve: Serve, settings: Settings) -> Iterator[Api]:
    """An API with a sign-in."""
    with serve(with_tokens(settings)) as (api, _):
        yield api


def make(api: Api, name: str, role: str = "viewer", **more: Any) -> str:
    answer = call_as(api.http, "admin", "POST", "/tokens", json={"name": name, "role": role} | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


def revoke(http: httpx.Client, name: str, **more: Any) -> httpx.Response:
    return call_as(http, "admin", "POST", "/tokens/revoke", json={"name": name, **more})


def listed(api: Api) -> dict[str, dict[str, Any]]:
    found = call_as(api.http, "admin", "GET", "/tokens").json()
    assert found["open"] is False
    return {one["name"]: one for one in found["tokens"]}


def me(api: Api, token: str) -> httpx.Response:
    return api.http.get("/api/v1/me", headers=bearer(token))


def test_a_token_is_added_used_and_revoked_without_a_restart(
    secured: Api, database: Database
) -> None:
    answer = call_as(
        secured.http, "admin", "POST", "/tokens", json={"name": " Ada/ö ", "role": "editor"}
    )
    assert answer.headers["cache-control"] == "no-store"
    secret = answer.json()["secret"]
    assert me(secured, secret).json() == {"name": "Ada/ö", "role": "editor", "signed_in": True}
    found = listed(secured)
    assert list(found) == ["Vera", "Edda", "Adam", "Ada/ö"]
    assert found["Vera"]["source"] == "environment"
    own = found["Ada/ö"]
    assert (own["source"], own["state"], own["created_by"]) == ("database", "active", "Adam")
    assert own["last_used_at"].endswith("+00:00")
    assert secret not in json.dumps(found)
    assert revoke(secured.http, "Ada/ö").json()["state"] == "revoked"
    refused = check_error(me(secured, secret), 401, "unauthorized")
    assert "was revoked on 20" in refused["message"]
    assert listed(secured)["Ada/ö"]["revoked_by"] == "Adam"
    check_error(revoke(secured.http, "Ada/ö"), 404, "not_found")
    with database.read() as session:
        calls = [(row.route, row.ids) for row in session.exec(select(Audit)).all()]
        held = session.exec(select(Token)).one()
    assert calls[:2] == [("/tokens", {"token": "Ada/ö"}), ("/tokens/revoke", {"token": "Ada/ö"})]
    assert secret not in repr((calls, held))


def test_a_name_may_be_given_anew_when_its_token_is_over(secured: Api) -> None:
    first = make(secured, "Ada")
    again = call_as(secured.http, "admin", "POST", "/tokens", json={"name": "Ada", "role": "admin"})
    assert "has a token already" in check_error(again, 409, "conflict")["message"]
    revoke(secured.http, "Ada")
    second = make(secured, "Ada", "admin")
    assert me(secured, first).status_code == 401
    assert me(secured, second).json()["role"] == "admin"
    rows = call_as(secured.http, "admin", "GET", "/tokens").json()["tokens"]
    assert [one["state"] for one in rows if one["name"] == "Ada"] == ["revoked", "active"]


def test_a_token_of_the_environment_keeps_its_name_and_is_changed_there(secured: Api) -> None:
    same = call_as(secured.http, "admin", "POST", "/tokens", json={"name": "Vera", "role": "admin"})
    assert "LOSSBOARD_TOKENS" in check_error(same, 409, "conflict")["message"]
    answer = check_error(revoke(secured.http, "Vera"), 409, "conflict")
    assert "take its entry out" in answer["message"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"name": " ", "role": "owner", "expires": "soon", "x": 1}, "expires name role x"),
        ({"name": "a\u0000", "role": "viewer", "expires": "2020-01-01"}, "expires name"),
        ({"name": "a" * 81, "role": "viewer", "expires": "0d"}, "expires name"),
        (
            {"name": "command line", "role": "viewer", "expires": "9999-12-31T23-23:00"},
            "expires name",
        ),
        ({"name": "lossboard launcher", "role": "viewer"}, "name"),
        ({}, "name role"),
    ],
)
def test_all_problems_of_a_new_token_are_told_at_once(
    secured: Api, body: dict[str, Any], paths: str
) -> None:
    answer = call_as(secured.http, "admin", "POST", "/tokens", json=body)
    fields = check_error(answer, 422, "invalid_request")["fields"]
    assert sorted(field["path"] for field in fields) == paths.split()


def test_a_token_expires_at_its_time(database: Database) -> None:
    now = 1_800_000_000.0
    tokens = AccessTokens(Tokens.parse(ENTRIES), clock=lambda: now)
    tokens.load(database)
    new = NewToken.model_validate({"name": "Ada", "role": "viewer", "expires": "90d"})
    _, secret = tokens.add(new, by="Adam")
    now += 90 * 86400 - 1
    assert tokens.owner(secret)
    now += 1
    assert tokens.owner(secret) is None
    assert "expired on 2027-04-15 08:00 UTC" in tokens.refusal(secret)
    assert secret not in tokens.refusal(secret)
    _, renewed = tokens.add(new, by="Adam")
    assert tokens.owner(renewed), "the name of an expired token is free"
    assert "expired on" in tokens.refusal(secret)


def test_the_last_admin_is_revoked_only_on_purpose_and_the_board_stays_closed(
    serve: Serve, settings: Settings, database: Database
) -> None:
    ada, bo = store_token(database, "Ada"), store_token(database, "Bo")
    with serve(settings) as (api, _):

        def end(name: str, **more: Any) -> httpx.Response:
            body = {"name": name, **more}
            return api.http.post("/api/v1/tokens/revoke", json=body, headers=bearer(ada))

        check_error(me(api, "no-token-at-all"), 401, "unauthorized")
        assert end("Bo").status_code == 200
        assert "last admin token" in check_error(end("Ada"), 409, "conflict")["message"]
        assert me(api, ada).status_code == 200
        assert end("Ada", last_admin=True).status_code == 200
        for token in (ada, bo):
            check_error(me(api, token), 401, "unauthorized")
    with serve(settings) as (api, _):
        check_error(me(api, ada), 401, "unauthorized")
        check_error(api.http.get("/api/v1/comparisons"), 401, "unauthorized")


def test_an_open_api_says_how_to_close_it_and_takes_no_token(api: Api) -> None:
    assert api.get("/tokens") == {"open": True, "tokens": []}
    answer = api.http.post("/api/v1/tokens", json={"name": "Eve", "role": "admin"})
    assert "token add" in check_error(answer, 409, "conflict")["message"]
    assert api.get("/tokens")["tokens"] == []


def test_the_launchers_token_closes_nothing_and_is_accepted_where_there_are_others(
    serve: Serve, settings: Settings, database: Database
) -> None:
    own = Tokens.parse("lossboard launcher:editor:the-launchers-own-token")
    settings = replace(settings, launcher_token=own)
    with serve(settings) as (api, _):
        assert api.get("/me")["signed_in"] is False
    store_token(database, "Ada")
    with serve(settings) as (api, _):
        assert me(api, "the-launchers-own-token").json()["name"] == "lossboard launcher"


def test_a_name_in_both_places_ends_the_start_with_one_line(database: Database) -> None:
    secret = store_token(database, "Adam")

    def check(entries: str) -> None:
        tokens = AccessTokens(Tokens.parse(entries))
        tokens.load(database)
        tokens.check()

    with pytest.raises(SettingsError, match="token revoke Adam") as caught:
        check(ENTRIES)
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="'Eve' in LOSSBOARD_TOKENS is the token of 'Adam'"):
        check(f"Eve:viewer:{secret}")


def test_a_live_stream_ends_with_its_token(secured: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.live.routes.CHECK_S", 0.05)
    secret = make(secured, "Ada")
    own = call_as(secured.http, "editor", "POST", "/comparisons", json=endless()).json()["id"]
    ended = threading.Event()
    started = threading.Event()

    def follow() -> None:
        path = f"/api/v1/comparisons/{own}/live"
        with secured.http.stream("GET", path, headers=bearer(secret)) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: reset"):
                    started.set()
        ended.set()

    reader = threading.Thread(target=follow)
    reader.start()
    assert started.wait(20)
    assert not ended.wait(0.3)
    revoke(secured.http, "Ada")
    assert ended.wait(20)
    reader.join()


def test_the_last_use_is_written_once_a_minute_and_its_loss_does_no_harm(
    secured: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make(secured, "Ada")
    written: list[dict[int, float]] = []
    store_uses = access._store_uses

    def failing(to: Database, uses: dict[int, float]) -> None:
        written.append(uses)
        with to.write() as write:
            write.session.connection().exec_driver_sql("SELECT * FROM no_such_table")

    monkeypatch.setattr(access, "_store_uses", failing)
    assert me(secured, secret).status_code == 200
    until(lambda: written, "a write that fails")
    assert me(secured, secret).status_code == 200

    def counting(to: Database, uses: dict[int, float]) -> None:
        store_uses(to, uses)
        written.append(uses)

    monkeypatch.setattr(access, "_store_uses", counting)
    monkeypatch.setattr(access, "USE_WRITTEN_EVERY_S", 0.0)
    assert me(secured, secret).status_code == 200
    monkeypatch.setattr(access, "USE_WRITTEN_EVERY_S", 60.0)
    until(lambda: len(written) == 2, "the next write")
    for _ in range(5):
        assert me(secured, secret).status_code == 200
    with database.read() as session:
        row = session.exec(select(Token)).one()
    assert row.last_used_at == pytest.approx(written[1][row.id or 0])
    assert len(written) == 2


def test_a_stored_token_is_hidden_in_errors(secured: Api) -> None:
    secret = make(secured, "Ada")
    answer = call_as(secured.http, "viewer", "GET", f"/runs/{secret}")
    assert secret not in answer.text
    assert "[a token]" in answer.text


def test_two_at_once_make_one_token(secured: Api) -> None:
    answers: list[int] = []

    def go() -> None:
        answer = call_as(
            secured.http, "admin", "POST", "/tokens", json={"name": "Ada", "role": "viewer"}
        )
        answers.append(answer.status_code)

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]
