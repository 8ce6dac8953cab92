"""Tokens that are revoked or expire: what becomes of sessions, streams and the sign-in page."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.app import create_app
from backend.auth.stored_tokens import NewToken, add
from backend.auth.tokens import NO_TOKENS
from backend.db import migrations
from backend.db.database import Database
from backend.settings import Settings
from frontend.server.sessions import COOKIE, RECHECK_S, Person
from tests.backend.token_users import TOKENS, bearer, with_tokens
from tests.support.front import Front
from tests.support.serving import serving
from tests.support.specs import endless

HTML = {"Accept": "text/html"}


class Ui:
    """A signed-in viewer at the UI, and an admin at its API."""

    def __init__(self, viewer: httpx.Client, front: Front, api: httpx.Client) -> None:
        self.viewer, self.front, self.api = viewer, front, api
        self.secret = self.call("POST", "/tokens", {"name": "Ada", "role": "editor"})["secret"]
        self.sign_in(self.secret)

    def sign_in(self, token: str) -> httpx.Response:
        return self.viewer.post("/signin", data={"token": token, "next": "/"})

    def call(self, method: str, path: str, body: object = None) -> dict[str, str]:
        headers = bearer(TOKENS["admin"])
        answer = self.api.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, str] = answer.json()
        return found

    def revoke(self) -> None:
        self.call("POST", "/tokens/revoke", {"name": "Ada"})


@pytest.fixture
def expired(tmp_path: Path) -> str:
    """A token that was valid for a day, long ago."""
    database = Database(f"sqlite:///{tmp_path / 'lossboard.sqlite'}")
    migrations.upgrade(database)
    new = NewToken.model_validate({"name": "Eve", "role": "viewer", "expires": "1d"})
    with database.write() as write:
        _, secret = add(write.session, new, by="test", now=1_700_000_000, environment=NO_TOKENS)
    database.close()
    return secret


@pytest.fixture
def ui(tmp_path: Path, broker_url: str, expired: str) -> Iterator[Ui]:
    del expired  # stored before the API starts
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    with serving(create_app(with_tokens(Settings(tmp_path, url, broker_url, "secret")))) as api_url:
        front = Front(api_url)
        with (
            serving(front.app()) as ui_url,
            httpx.Client(base_url=ui_url, timeout=60, trust_env=False) as viewer,
            httpx.Client(base_url=api_url, timeout=60, trust_env=False) as api,
        ):
            viewer.headers["Origin"] = ui_url
            yield Ui(viewer, front, api)
            front.proxy.close()


def test_a_page_leads_to_the_sign_in_once_the_token_is_revoked(ui: Ui) -> None:
    own = ui.viewer.cookies[COOKIE]
    assert ui.viewer.get("/method", headers=HTML).text == "the page /method"
    ui.revoke()
    ui.front.now += RECHECK_S
    led = ui.viewer.get("/method", headers=HTML)
    assert (led.status_code, led.headers["location"]) == (303, "/signin?next=%2Fmethod")
    assert ui.front.sessions.find(own) is None


def test_files_of_pages_are_refused_once_the_token_is_revoked(ui: Ui) -> None:
    assert ui.viewer.get("/media/x").status_code == 200
    ui.revoke()
    ui.front.now += RECHECK_S
    assert ui.viewer.get("/media/x").status_code == 401


def test_a_live_stream_of_a_page_ends_once_the_token_is_revoked(ui: Ui) -> None:
    own = ui.call("POST", "/comparisons", endless())["id"]
    started, ended = threading.Event(), threading.Event()

    def follow() -> None:
        with ui.viewer.stream("GET", f"/api/v1/comparisons/{own}/live") as answer:
            for line in answer.iter_lines():
                if line.startswith("event: reset"):
                    started.set()
        ended.set()

    reader = threading.Thread(target=follow)
    reader.start()
    assert started.wait(20)
    ui.revoke()
    assert ended.wait(20)
    reader.join()


def test_the_sign_in_page_says_why_a_token_is_not_accepted(ui: Ui, expired: str) -> None:
    refused = ui.sign_in(expired)
    assert refused.status_code == 401
    assert "This token expired on 2023-11-15 22:13 UTC" in refused.text
    assert expired not in refused.text
    ui.revoke()
    assert "This token was revoked on 20" in ui.sign_in(ui.secret).text
    assert "This token is unknown" in ui.sign_in("a-token-that-is-none").text


def test_a_session_goes_on_while_the_api_is_away() -> None:
    front = Front("http://127.0.0.1:1")
    with (
        serving(front.app()) as ui_url,
        httpx.Client(base_url=ui_url, timeout=60, trust_env=False) as viewer,
    ):
        from_before = front.sessions.begin("token", Person("Ada", "viewer"))
        viewer.cookies[COOKIE] = from_before
        assert viewer.get("/method", headers=HTML).text == "the page /method"
        assert front.sessions.find(from_before)
        front.proxy.close()
