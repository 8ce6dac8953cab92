"""One POST to a real server: where it goes, what it does not follow, and how long it may take."""

import socket
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from backend.alerts.posting import Outcome, Poster
from backend.http.outgoing_hosts import OutgoingHosts
from tests.support.certificate import NAME, client_context, server_context
from tests.support.receiver import Receiver, huge, redirect, running_receiver
from tests.support.waiting import until


def poster(*hosts: str, **more: Any) -> Poster:
    return Poster(OutgoingHosts.parse(",".join(hosts)), **more)


def resolving(*addresses: str) -> Any:
    """Return a resolver that gives these addresses, one more at each call."""
    left = list(addresses)

    def resolve(host: str, port: int, **_: Any) -> Any:
        address = left.pop(0) if len(left) > 1 else left[0]
        return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)

    return resolve


def post(sender: Poster, url: str) -> Outcome:
    return sender.post(url, b'{"a": 1}', {"webhook-id": "msg_1"})


def test_it_arrives_as_it_was_given() -> None:
    with running_receiver() as receiver:
        assert post(poster(receiver.host), receiver.url) == Outcome(200, "")
    [got] = receiver.received
    assert (got.path, got.body) == ("/hook?key=sesame", b'{"a": 1}')
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["webhook-id"] == "msg_1"


def test_redirects_are_not_followed_and_proxies_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_receiver() as inner, running_receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{inner.port}")
        receiver.answers = [redirect(inner.url)]
        found = post(poster(receiver.host, inner.host), receiver.url)
        assert found == Outcome(302, "it redirects elsewhere, which is not followed")
        assert len(receiver.received) == 1
        assert inner.received == []


def test_of_a_huge_answer_only_the_start_is_read() -> None:
    ended = threading.Event()

    def endless(request: BaseHTTPRequestHandler) -> None:
        try:
            huge(request)
        except OSError:  # the sender has left
            ended.set()

    with running_receiver() as receiver:
        receiver.answers = [endless]
        assert post(poster(receiver.host), receiver.url) == Outcome(200, "")
        assert ended.wait(60)


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a header that never ends, byte by byte."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    try:
        while True:
            request.wfile.write(b"x")
    except OSError:
        pass


def test_a_receiver_that_hangs_or_drips_is_left() -> None:
    with running_receiver() as receiver:
        receiver.answers = [receiver.hang, drip]
        sender = poster(receiver.host, timeout_s=0.2)
        assert post(sender, receiver.url) == Outcome(None, "no answer within 0.2 s")
        assert post(sender, receiver.url).status is None
    with socket.create_server(("127.0.0.1", 0)) as silent:  # nobody accepts
        port = silent.getsockname()[1]
        found = post(poster(f"private:127.0.0.1:{port}", timeout_s=0.2), f"http://127.0.0.1:{port}")
        assert found == Outcome(None, "no answer within 0.2 s")


def greet(request: BaseHTTPRequestHandler) -> None:
    """Speak another protocol."""
    request.wfile.write(b"SSH-2.0-OpenSSH\r\n")


def test_what_is_no_http_and_what_is_closed_is_said(receiver: Receiver) -> None:
    receiver.answers = [greet]
    assert post(poster(receiver.host), receiver.url) == Outcome(
        None, "its answer is not valid HTTP"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = post(poster(f"private:127.0.0.1:{port}"), f"http://127.0.0.1:{port}/")
    assert found == Outcome(None, "it refuses the connection")
    found = post(poster("nothing.invalid"), "https://nothing.invalid/")
    assert found.problem.startswith("nothing.invalid cannot be resolved")


@pytest.fixture
def receiver() -> Any:
    with running_receiver() as running:
        yield running


def test_a_name_that_leads_to_this_machine_is_not_called(receiver: Receiver) -> None:
    url = f"https://hooks.test:{receiver.port}/"
    allowed = f"hooks.test:{receiver.port}"
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254"):
        found = post(poster(allowed, resolve=resolving(address)), url)
        assert found.status is None
        assert found.problem.startswith("hooks.test is not called: it has the address")
    both = lambda *_, **__: [  # noqa: E731 - one of two addresses is enough
        one
        for address in ("8.8.8.8", "127.0.0.1")
        for one in socket.getaddrinfo(address, receiver.port, type=socket.SOCK_STREAM)
    ]
    assert "127.0.0.1" in post(poster(allowed, resolve=both), url).problem
    assert receiver.received == []


def test_it_is_connected_to_the_address_that_was_checked(receiver: Receiver) -> None:
    """A name that leads elsewhere the second time it is asked for (DNS rebinding)."""
    asked: list[str] = []
    resolve = resolving("127.0.0.1", "127.0.0.2")

    def counting(host: str, port: int, **more: Any) -> Any:
        asked.append(host)
        return resolve(host, port, **more)

    sender = poster(f"private:hooks.test:{receiver.port}", resolve=counting)
    assert post(sender, f"http://hooks.test:{receiver.port}/x") == Outcome(200, "")
    assert asked == ["hooks.test"]
    assert receiver.received[0].headers["host"] == f"hooks.test:{receiver.port}"


def test_tls_is_checked_against_the_name(tmp_path: Path) -> None:
    with running_receiver(server_context(tmp_path)) as receiver:
        trusting = {"resolve": resolving("127.0.0.1"), "tls": client_context()}
        known = poster(f"private:{NAME}:{receiver.port}", **trusting)
        assert post(known, f"https://{NAME}:{receiver.port}/x") == Outcome(200, "")
        other = poster(f"private:other.test:{receiver.port}", **trusting)
        found = post(other, f"https://other.test:{receiver.port}/x")
        assert found.problem.startswith("its certificate is not accepted: Hostname mismatch")
        stranger = poster(f"private:{NAME}:{receiver.port}", resolve=resolving("127.0.0.1"))
        found = post(stranger, f"https://{NAME}:{receiver.port}/x")
        assert found.problem.startswith("its certificate is not accepted: self-signed")
        assert len(receiver.received) == 1


def test_closing_ends_what_is_under_way(receiver: Receiver) -> None:
    receiver.answers = [receiver.hang]
    sender = poster(receiver.host, timeout_s=600)
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(post(sender, receiver.url)))
    thread.start()
    until(lambda: receiver.received, "the request")
    sender.close()
    thread.join(60)
    assert found[0].status is None
    assert post(sender, receiver.url).status is None
    assert len(receiver.received) == 1
