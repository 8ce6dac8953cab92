"""Bodies that do not arrive, over real sockets: a JSON body ends in time, an upload goes on."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from backend.http import body_time, multipart
from tests.backend.helpers import Api

LIMIT_S = 0.3
BOUNDARY = "the-boundary"
START = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n'
).encode()


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_time, "BODY_LIMIT_S", LIMIT_S)


@contextmanager
def request(api: Api, head: str) -> Iterator[socket.socket]:
    """Send the head of a request whose body is announced and does not come."""
    address = urlsplit(str(api.http.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        yield connection


def answer(connection: socket.socket) -> tuple[str, str]:
    """Return head and body of the answer, when the server has closed the connection."""
    content = b""
    while chunk := connection.recv(65536):
        content += chunk
    head, _, body = content.decode().partition("\r\n\r\n")
    return head, body


POST = """POST /api/v1/comparisons HTTP/1.1
Host: 127.0.0.1
Content-Type: application/json
Content-Length: 1000

"""


@pytest.mark.parametrize("start", ["", '{"name": '])
def test_a_body_that_never_ends_is_told_and_cut(api: Api, start: str) -> None:
    with request(api, POST + start) as connection:
        head, body = answer(connection)
    assert head.startswith("HTTP/1.1 408")
    assert "connection: close" in head.lower()
    found = json.loads(body)
    assert (found["error"], found["fields"]) == ("request_timeout", [])
    assert f"not complete after {LIMIT_S:g} s" in found["message"]
    assert "x-content-type-options" in head.lower()


def test_a_body_that_trickles_is_cut_all_the_same(api: Api) -> None:
    with request(api, POST) as connection:
        connection.settimeout(0.02)
        received = b""
        ends = time.monotonic() + 20
        while not received:
            assert time.monotonic() < ends, "a byte now and then keeps the connection"
            connection.sendall(b" ")
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue
    assert received.startswith(b"HTTP/1.1 408")
    assert api.get("/comparisons")["total"] == 0


def test_a_form_without_a_body_is_cut_too(api: Api) -> None:
    head = POST.replace("application/json", "multipart/form-data; boundary=x")
    with request(api, head) as connection:
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
    head = f"""POST /api/v1/datasets HTTP/1.1
Host: 127.0.0.1
Content-Type: multipart/form-data; boundary={BOUNDARY}
Content-Length: {sum(map(len, pieces))}
Connection: close

"""
    with request(api, head) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.06)  # in all twice as long as another body may take
        assert answer(connection)[0].startswith("HTTP/1.1 422"), "it was received and looked at"


def test_an_upload_that_stands_still_is_cut(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "IDLE_LIMIT_S", 0.1)
    head = f"""POST /api/v1/datasets HTTP/1.1
Host: 127.0.0.1
Content-Type: multipart/form-data; boundary={BOUNDARY}
Content-Length: 1000

"""
    with request(api, head) as connection:
        connection.sendall(START)
        assert connection.recv(12) == b"HTTP/1.1 408"
