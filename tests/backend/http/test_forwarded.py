"""Whose word on a caller's address is taken: the UI's and that of named proxies."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from backend.http.forwarded import NO_PROXIES, UI_ITSELF, Forwarded, Proxies, caller_address

LOCAL = Proxies.parse("127.0.0.1, ::1, 10.0.0.0/8")


def passed(
    proxies: Proxies,
    *headers: tuple[str, str],
    peer: str | None = "127.0.0.1",
    ui_secret: str = "",
) -> dict[str, Any]:
    """Return the scope that the application behind the middleware gets."""
    seen: dict[str, Any] = {}

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.update(scope)

    scope = {
        "type": "http",
        "client": (peer, 1234) if peer else None,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    middleware = Forwarded(app, proxies, ui_secret)
    asyncio.run(middleware(scope, None, None))  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (["1.2.3.4"], "1.2.3.4"),
        (["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (["6.6.6.6", "1.2.3.4, 10.1.1.1"], "1.2.3.4"),
        (["1.2.3.4:5678"], "1.2.3.4"),
        (["[2001:db8::1]:5678"], "2001:db8::1"),
        (["::ffff:1.2.3.4"], "1.2.3.4"),
        (["10.1.1.1"], "10.1.1.1"),
        (["1.2.3.4, unknown"], "127.0.0.1"),
        ([""], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_a_named_proxy_tells_who_called_it(sent: Sequence[str], address: str) -> None:
    headers = [("x-forwarded-for", value) for value in sent]
    assert passed(LOCAL, *headers)["client"][0] == address


def test_nobody_else_chooses_an_address_or_a_host() -> None:
    sent = ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-host", "x.example"), ("host", "127.0.0.1")
    for proxies, peer in ((NO_PROXIES, "127.0.0.1"), (LOCAL, "192.168.1.1"), (NO_PROXIES, None)):
        scope = passed(proxies, *sent, peer=peer)
        assert scope["client"] == ((peer, 1234) if peer else None)
        assert scope["headers"] == [(b"host", b"127.0.0.1")]


def test_a_named_proxy_tells_which_host_was_asked() -> None:
    sent = ("host", "127.0.0.1:8500"), ("x-forwarded-host", "first.example, board.example")
    assert passed(LOCAL, *sent)["headers"] == [(b"host", b"board.example")]


def test_the_ui_tells_who_visits_it_by_its_secret_alone() -> None:
    visitor = ("x-forwarded-for", "1.2.3.4")
    host = ("host", "api"), ("x-forwarded-host", "evil.example")
    scope = passed(NO_PROXIES, visitor, *host, ("x-lossboard-ui", "s"), ui_secret="s")
    assert (scope["client"][0], scope["headers"]) == ("1.2.3.4", [(b"host", b"api")])
    for_itself = passed(NO_PROXIES, ("x-lossboard-ui", "s"), ui_secret="s")
    assert for_itself["client"][0] == UI_ITSELF
    for given, secret in (("", "s"), ("x", "s"), ("", ""), ("s", "")):
        scope = passed(NO_PROXIES, visitor, ("x-lossboard-ui", given), ui_secret=secret)
        assert scope["client"][0] == "127.0.0.1"


def test_callers_are_told_apart_by_address_and_by_network_of_ipv6() -> None:
    for peer, told in (
        ("1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
    ):
        assert caller_address({"client": (peer, 1)}) == told
    assert caller_address({"client": None}) == ""


def test_a_setting_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="'proxy', which is neither an IP address"):
        Proxies.parse("10.0.0.1,proxy")
    assert "10.0.0.7" in Proxies.parse("10.0.0.1/24,")
    assert "10.0.0.7" not in Proxies.parse(" , ")
