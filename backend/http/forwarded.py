"""The address of a caller, also behind a proxy.

A proxy tells whom it speaks for in headers that any caller can send as well. So they count from
the UI's server, which proves itself by a secret, and from proxies that are named; else they are
removed before anybody reads them.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from starlette.types import ASGIApp, Receive, Scope, Send

UI_SECRET_HEADER: Final = b"x-lossboard-ui"
UI_ITSELF: Final = "ui"
"""The address of calls that the UI's server makes for pages of people who are signed in."""
_FOR: Final = b"x-forwarded-for"
_HOST: Final = b"x-forwarded-host"
_REMOVED: Final = (_FOR, _HOST, UI_SECRET_HEADER)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Proxies:
    """The proxies that are trusted; none unless they are named."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse addresses and networks, separated by commas.

        Raises:
            ValueError: an entry is neither; the message says which.
        """
        networks: list[Network] = []
        for entry in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                raise ValueError(
                    f"has {entry!r}, which is neither an IP address nor a network; give "
                    "127.0.0.1 or 10.0.0.0/24"
                ) from None
        return cls(tuple(networks))

    def __contains__(self, host: object) -> bool:
        address = _parse_address(host) if isinstance(host, str) else None
        return address is not None and any(address in network for network in self.networks)


NO_PROXIES: Final = Proxies()


class Forwarded:
    """ASGI middleware: sets the caller's address and the host asked for, from trusted headers."""

    def __init__(self, app: ASGIApp, proxies: Proxies, ui_secret: str) -> None:
        self._app = app
        self._proxies = proxies
        self._ui_secret = ui_secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without the headers."""
        if scope["type"] != "lifespan":
            headers: list[tuple[bytes, bytes]] = list(scope["headers"])
            peer = scope["client"][0] if scope.get("client") else ""
            kept = [(name, value) for name, value in headers if name not in _REMOVED]
            chain = [value.decode("latin-1") for name, value in headers if name == _FOR]
            if self._is_ui(headers):
                visitor = self._proxies_client(chain, UI_ITSELF) if chain else UI_ITSELF
                scope["client"] = (visitor, 0)
            elif peer in self._proxies:
                scope["client"] = (self._proxies_client(chain, peer), 0)
                host = next((value for name, value in headers if name == _HOST), None)
                if host is not None:
                    kept = [(name, value) for name, value in kept if name != b"host"]
                    kept.append((b"host", host.split(b",")[-1].strip()))
            scope["headers"] = kept
        await self._app(scope, receive, send)

    def _is_ui(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        given = next((value for name, value in headers if name == UI_SECRET_HEADER), b"")
        return bool(self._ui_secret) and hmac.compare_digest(given, self._ui_secret)

    def _proxies_client(self, chain: Sequence[str], peer: str) -> str:
        """Return the last address of the chain that is no proxy of ours.

        Each proxy adds the address that called it, so what stands before may be invented.
        """
        client = peer
        for entry in reversed(",".join(chain).split(",")):
            address = _parse_address(entry.strip())
            if address is None:
                break
            client = str(address)
            if client not in self._proxies:
                break
        return client


def caller_address(scope: Scope) -> str:
    """Return by what callers are told apart: their address, or their network of IPv6 addresses.

    A single subscriber has 2^64 of these.
    """
    client = scope["client"][0] if scope.get("client") else ""
    address = _parse_address(client)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or client)


def _parse_address(text: str) -> Address | None:
    """Return the address, which may have a port; None if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
