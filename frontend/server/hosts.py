"""The names under which the UI answers.

A page of any site may have its own name resolve to this machine's address (DNS rebinding); the
browser then takes the UI for that page's own server. The Host header tells: a browser puts the
page's name into it. An IP address cannot be rebound.
"""

import ipaddress
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from frontend.server.proxy import PREFIX, error_response

LOCAL_NAME: Final = "localhost"
HOSTS_FILE: Final = Path("/etc/hosts")
MISSING: Final = (
    "The request needs one Host header, with a name or an address, such as 127.0.0.1:8501."
)
FOREIGN: Final = (
    "This Lossboard does not answer to the name {name!r}. Open it by its IP address, or, if the "
    "name is its own, add it to LOSSBOARD_ALLOWED_HOSTS and start it again."
)
_HOST: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]{0,253}))(?::[0-9]{0,5})?"
)


def host_name(header: str) -> str | None:
    """Return the name or address of a Host header: lower case, without port, brackets, last dot.

    None if the header is malformed.
    """
    found = _HOST.fullmatch(header)
    if not found:
        return None
    if found["v6"] is None:
        return found["name"].lower().removesuffix(".")
    try:
        return str(ipaddress.IPv6Address(found["v6"]))
    except ValueError:
        return None


@dataclass(frozen=True)
class AcceptedHosts:
    """The names that are accepted besides IP addresses."""

    names: frozenset[str]
    has_setting: bool
    """Whether names were set; only then are they demanded where there is a sign-in too."""

    @classmethod
    def create(cls, allowed: Iterable[str], listening: str) -> Self:
        """Return the names of this machine, of the address listened on, and of the setting.

        Args:
            allowed: names of LOSSBOARD_ALLOWED_HOSTS.
            listening: name or address that the server listens on; empty if not known.

        Raises:
            ValueError: an entry of the setting is no name; the message says which.
        """
        given: set[str] = set()
        for entry in allowed:
            name = None if ":" in entry else host_name(entry)
            if name is None:
                raise ValueError(
                    f"LOSSBOARD_ALLOWED_HOSTS has {entry!r}, which is not a host name; give "
                    "names such as board.example.org, without http:// and without a port"
                )
            given.add(name)
        own = host_name(listening)
        names = {LOCAL_NAME, *machine_names(), *given, *([own] if own else [])}
        return cls(frozenset(names), bool(given))

    def accept(self, name: str) -> bool:
        """Return whether the name is one of these, or an IP address."""
        return name in self.names or _is_address(name)


@cache
def machine_names() -> frozenset[str]:
    """Return the names of this machine, without asking a name server, which may take long.

    They are its host name, and what /etc/hosts calls it besides.
    """
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    names = {own, short}
    try:
        lines = HOSTS_FILE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, *called = line.partition("#")[0].lower().split() or [""]
        if own in called or short in called:
            names.update(called)
    return frozenset(name for name in names if name)


class HostCheck:
    """ASGI middleware: answers 400 to a malformed Host or Origin, and 421 to a foreign name.

    Foreign names are refused where there is no sign-in, and where names were set. It stands in
    front of the pages, of their websocket and of the proxy. The websocket is for our own pages:
    Streamlit alone would also let pages of other ports of this machine in.
    """

    def __init__(
        self, app: ASGIApp, hosts: AcceptedHosts, needs_sign_in: Callable[[], Awaitable[bool]]
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._needs_sign_in = needs_sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; a websocket is refused before it is accepted."""
        refusal = None if scope["type"] == "lifespan" else await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def _refusal(self, scope: Scope) -> Response | None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        name = host_name(given[0].decode("latin-1")) if len(given) == 1 else None
        if name is None:
            return _answer(scope, 400, "bad_request", MISSING)
        if not all(map(_is_origin, (v for n, v in scope["headers"] if n == b"origin"))):
            return _answer(
                scope, 400, "bad_request", "The header Origin is not the address of a site."
            )
        if not await self._accept(name):
            return _answer(scope, 421, "misdirected_request", FOREIGN.format(name=name))
        if scope["type"] == "websocket" and not _is_own_page(HTTPConnection(scope)):
            return _answer(scope, 403, "forbidden", "A page of another address asks for this.")
        return None

    async def _accept(self, name: str) -> bool:
        if self._hosts.accept(name):
            return True
        return not self._hosts.has_setting and await self._needs_sign_in()


class NoHandshake(logging.Filter):
    """Drops what uvicorn logs of each refused websocket: it expects that every one is accepted."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is another one."""
        return record.msg != "ASGI callable returned without completing handshake."


def _is_own_page(socket: HTTPConnection) -> bool:
    """Return whether a websocket is asked for by our own page or by no page at all.

    Browsers send Origin with each; not all of them call ws: and http: the same site.
    """
    if socket.headers.get("sec-fetch-site") == "same-origin":
        return True
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


def _answer(scope: Scope, status: int, error: str, message: str) -> Response:
    if f"{PREFIX}/" in scope["path"]:  # also below a base path
        return error_response(status, error, message)
    return PlainTextResponse(f"{message}\n", status_code=status)


def _is_origin(header: bytes) -> bool:
    try:
        urlsplit(header.decode("latin-1"))
    except ValueError:
        return False
    return True


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
