"""Bodies that do not arrive, over real sockets: a JSON body ends in time, an upload goes on."""

import json
import socket
import time

import pytest

from backend.http import body_time, multipart
from tests.backend.helpers import Api
from tests.support import slow_bodies
from tests.support.slow_bodies import answer, send_slowly, trickle

LIMIT_S = 0.3
BOUNDARY = "the-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
START = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n'
).encode()


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_time, "BODY_LIMIT_S", LIMIT_S)


def begin(
    api: Api, content_type: str = "application/json", path: str = "comparisons", length: int = 1000
) -> socket.socket:
    """Send the head of a request whose body is announced."""
    url = str(api.http.base_url)
    return slow_bodies.begin(url, f"/api/v1/{path}", {"Content-Type": content_type}, length)


@pytest.mark.parametrize("start", [b"", b'{"name": '])
def test_a_body_that_never_ends_is_told_and_cut(api: Api, start: bytes) -> None:
    with begin(api) as connection:
        connection.sendall(start)
        head, body = answer(connection)
    assert head.startswith("HTTP/1.1 408")
    assert "connection: close" in head.lower()
    found = json.loads(body)
    assert (found["error"], found["fields"]) == ("request_timeout", [])
    assert f"not complete after {LIMIT_S:g} s" in found["message"]
    assert "x-content-type-options" in head.lower()


def test_a_body_that_trickles_is_cut_all_the_same(api: Api) -> None:
    with begin(api) as connection:
        assert trickle(connection).startswith(b"HTTP/1.1 408")
    assert api.get("/comparisons")["total"] == 0


def test_a_form_without_a_body_is_cut_too(api: Api) -> None:
    with begin(api, "multipart/form-data; boundary=x") as connection:
        assert answer(connection)[0].startswith("HTTP/1.1 408")


def test_a_whole_body_is_answered_and_a_live_stream_stays_open(api: Api) -> None:
    own = api.submit()
    with api.http.stream("GET", f"/api/v1/comparisons/{own}/live") as live:
        lines = live.iter_lines()
        assert next(lines)
        time.sleep(2 * LIMIT_S)  # what must not happen has no event
        api.http.post(f"/api/v1/comparisons/{own}/cancel")
        assert next(line for line in lines if "cancelled" in line)


def test_an_upload_that_moves_is_not_cut(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "IDLE_LIMIT_S", 2.0)
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    pieces = [START, *(b"x" for _ in range(10)), end]
    with begin(api, FORM, "datasets", sum(map(len, pieces))) as connection:
        # In all twice as long as another body may take.
        send_slowly(connection, pieces, pause_s=0.06)
        assert connection.recv(12) == b"HTTP/1.1 422", "it was received and looked at"


def test_an_upload_that_stands_still_is_cut(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "IDLE_LIMIT_S", 0.1)
    with begin(api, FORM, "datasets") as connection:
        connection.sendall(START)
        assert connection.recv(12) == b"HTTP/1.1 408"
