"""Bodies that do not arrive, through the UI's server and over real sockets."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.app import create_app
from backend.auth.tokens import NO_TOKENS
from backend.settings import Settings
from frontend.server import body_time
from tests.backend.token_users import with_tokens
from tests.support import slow_bodies
from tests.support.front import Front
from tests.support.serving import serving
from tests.support.slow_bodies import answer, send_slowly, trickle

LIMIT_S = 0.3


@pytest.fixture
def url(tmp_path: Path, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the UI of an open API."""
    monkeypatch.setattr(body_time, "BODY_LIMIT_S", LIMIT_S)
    database = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    settings = with_tokens(Settings(tmp_path, database, broker_url, "secret"))
    with serving(create_app(replace(settings, tokens=NO_TOKENS))) as api_url:
        front = Front(api_url)
        with serving(front.app(), before_stop=front.proxy.close) as ui_url:
            yield ui_url


def begin(url: str, path: str, length: int = 1000) -> socket.socket:
    """Send the head of a form of one of our pages, whose body is announced."""
    form = {"Content-Type": "multipart/form-data; boundary=b", "Connection": "close"}
    return slow_bodies.begin(url, path, {"Origin": url, **form}, length)


@pytest.mark.parametrize("path", ["/api/v1/comparisons", "/api/v1/datasets", "/signin"])
def test_a_body_that_stands_still_is_told_and_cut(url: str, path: str) -> None:
    with begin(url, path) as connection:
        connection.sendall(b"--b\r\n")
        head, body = answer(connection)
    assert head.startswith("HTTP/1.1 408")
    assert f"not complete after {LIMIT_S:g} s" in body
    assert ('"error":"request_timeout"' in body) == path.startswith("/api/")
    assert "x-content-type-options: nosniff" in head.lower()


def test_a_body_that_trickles_is_cut_all_the_same(url: str) -> None:
    with begin(url, "/api/v1/comparisons") as connection:
        assert trickle(connection).startswith(b"HTTP/1.1 408")


def test_an_upload_that_moves_is_not_cut(url: str) -> None:
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n'
    pieces = [start, *(b"x" for _ in range(10)), b"\r\n--b--\r\n"]
    with begin(url, "/api/v1/datasets", sum(map(len, pieces))) as connection:
        # In all twice as long as another body may take.
        send_slowly(connection, pieces, pause_s=0.06)
        assert answer(connection)[0].startswith("HTTP/1.1 422"), "it was received and looked at"
