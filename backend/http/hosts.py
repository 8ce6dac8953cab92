"""The names under which the API answers.

A page of any site may have its own name resolve to this machine's address (DNS rebinding): to the
browser the API is then that page's own server, and the page reads and writes what it likes. The
Host header tells: a browser puts the page's name into it. An IP address cannot be rebound.
"""

import hmac
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.errors import BadRequestError, MisdirectedError, response_to
from contract.names import API_PREFIX

LOCAL_NAME: Final = "localhost"
INTERNAL: Final = f"{API_PREFIX}/internal/"
"""The start of the addresses for workers, which reach the API under any name."""
HOSTS_FILE: Final = Path("/etc/hosts")
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


def parse_host_names(text: str) -> frozenset[str]:
    """Parse the names of LOSSBOARD_ALLOWED_HOSTS, separated by commas.

    Raises:
        ValueError: an entry is no name; the message says which.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    for entry in entries:
        if ":" in entry or host_name(entry) is None:
            raise ValueError(
                f"has {entry!r}, which is not a host name; give names such as "
                "board.example.org, without http:// and without a port"
            )
    return frozenset(name for entry in entries if (name := host_name(entry)))


@dataclass(frozen=True)
class AcceptedHosts:
    """The names that are accepted besides IP addresses."""

    names: frozenset[str]
    has_setting: bool
    """Whether names were set; only then are they demanded where there are tokens too."""

    @classmethod
    def create(cls, allowed: Iterable[str], listening: str) -> Self:
        """Return the names of this machine, of the address listened on, and of the setting.

        Args:
            allowed: names of LOSSBOARD_ALLOWED_HOSTS.
            listening: name or address that the server listens on; empty if not known.
        """
        allowed = frozenset(allowed)
        own = host_name(listening)
        names = {LOCAL_NAME, *machine_names(), *allowed, *([own] if own else [])}
        return cls(frozenset(names), bool(allowed))

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

    Foreign names are refused where the API is open, and where names were set.
    """

    def __init__(
        self, app: ASGIApp, hosts: AcceptedHosts, is_open: Callable[[], bool], worker_token: str
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._is_open = is_open
        self._worker = f"Bearer {worker_token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; a websocket is refused before it is accepted."""
        problem = None if scope["type"] == "lifespan" else self._problem(scope)
        if problem is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await response_to(problem)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    def _problem(self, scope: Scope) -> BadRequestError | MisdirectedError | None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        name = host_name(given[0].decode("latin-1")) if len(given) == 1 else None
        if name is None:
            return BadRequestError(
                "the request needs one Host header, with a name or an address, "
                "such as 127.0.0.1:8500"
            )
        if not all(map(_is_origin, (v for n, v in scope["headers"] if n == b"origin"))):
            return BadRequestError("the header Origin is not the address of a site; leave it out")
        if self._hosts.accept(name) or self._is_worker(scope):
            return None
        if not (self._hosts.has_setting or self._is_open()):
            return None
        return MisdirectedError(
            f"this Lossboard does not answer to the name {name!r}; open it by its IP address, or, "
            "if the name is its own, add it to LOSSBOARD_ALLOWED_HOSTS and start the API again"
        )

    def _is_worker(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return scope["path"].startswith(INTERNAL) and hmac.compare_digest(given, self._worker)


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
