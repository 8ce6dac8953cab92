"""The names under which the UI answers: a page of a rebound name gets neither pages nor data."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backend.app import create_app
from backend.auth.tokens import NO_TOKENS
from backend.settings import Settings
from frontend.server.hosts import AcceptedHosts
from tests.backend.token_users import with_tokens
from tests.support.front import Front
from tests.support.raw_http import send
from tests.support.serving import serving

FOREIGN = ("Host", "evil.example:8501")
PATHS = ("/", "/queue", "/signin", "/static/x.js", "/_stcore/health", "/_stcore/host-config")


@pytest.fixture
def settings(tmp_path: Path, broker_url: str) -> Settings:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    return with_tokens(Settings(tmp_path, url, broker_url, "secret"))


@contextmanager
def front(settings: Settings, *allowed_hosts: str) -> Iterator[str]:
    """Serve the UI of an API with these settings; return the UI's address."""
    with serving(create_app(settings)) as api_url:
        made = Front(api_url, *allowed_hosts)
        with serving(made.app(), before_stop=made.proxy.close) as ui_url:
            yield ui_url


def test_without_tokens_a_foreign_name_gets_nothing(settings: Settings) -> None:
    with front(replace(settings, tokens=NO_TOKENS), "Board.example.org") as url:
        for path in PATHS:
            answer = send(f"{url}{path}", [FOREIGN])
            assert answer.status == 421
            assert "does not answer to the name 'evil.example'" in answer.text
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert "content-security-policy" in answer.headers
        for method in ("GET", "POST"):
            answer = send(f"{url}/api/v1/comparisons", [FOREIGN], method=method)
            assert answer.status == 421
            assert json.loads(answer.text)["error"] == "misdirected_request"
        for host in ("127.0.0.1", "[::1]:8501", "localhost:1", "board.example.org"):
            assert send(f"{url}/queue", [("Host", host)]).text == "the page /queue"
            assert send(f"{url}/api/v1/me", [("Host", host)]).status == 200


def test_with_tokens_names_are_demanded_only_where_they_are_set(settings: Settings) -> None:
    with front(settings) as url:
        assert send(f"{url}/signin", [FOREIGN]).status == 200
        assert send(f"{url}/signin", [("Host", "a b")]).status == 400
    with front(settings, "board.example.org") as url:
        assert send(f"{url}/signin", [("Host", "board.example.org")]).status == 200
        assert send(f"{url}/signin", [FOREIGN]).status == 421


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Host", "127.0.0.1"), FOREIGN],
        *([("Host", host)] for host in ("", "a b", "[::1", "[zz]", "x:y")),
        [("Host", "127.0.0.1"), ("Origin", "http://[")],
    ],
)
def test_a_malformed_host_or_origin_is_a_bad_request(
    settings: Settings, headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    with front(settings) as url:
        for path in ("/", "/signin", "/api/v1/me"):
            for method in ("GET", "POST"):
                assert send(f"{url}{path}", headers, method=method).status == 400
    assert [record for record in caplog.records if record.exc_info] == []


def test_what_streamlit_tells_about_the_server_is_closed(settings: Settings) -> None:
    with front(replace(settings, tokens=NO_TOKENS)) as url:
        for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/auth/login"):
            assert send(f"{url}{path}", [("Host", "localhost")]).status == 404


def test_a_setting_that_is_no_name_is_refused() -> None:
    for name in ("http://board", "board:80", "*"):
        with pytest.raises(ValueError, match="LOSSBOARD_ALLOWED_HOSTS has"):
            AcceptedHosts.create([name], "")
