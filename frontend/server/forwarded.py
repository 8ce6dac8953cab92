"""The address of a visitor, also behind a proxy, and handing it on to the API.

A proxy tells whom it speaks for in headers that any visitor can send as well. So they count from
proxies that are named; else they are removed before anybody reads them. To the API this server is
such a proxy: it proves itself by a secret that both get from the launcher.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from starlette.types import ASGIApp, Receive, Scope, Send

FOR: Final = "x-forwarded-for"
UI_SECRET: Final = "x-lossboard-ui"
_FOR: Final = FOR.encode()
_HOST: Final = b"x-forwarded-host"
_PROTO: Final = b"x-forwarded-proto"
_REMOVED: Final = (_FOR, _HOST, _PROTO, UI_SECRET.encode())

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Proxies:
    """The proxies that are trusted; none unless they are named."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse LOSSBOARD_TRUSTED_PROXIES: addresses and networks, separated by commas.

        Raises:
            ValueError: an entry is neither; the message says which.
        """
        networks: list[Network] = []
        for entry in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                raise ValueError(
                    f"LOSSBOARD_TRUSTED_PROXIES has {entry!r}, which is neither an IP "
                    "address nor a network; give 127.0.0.1 or 10.0.0.0/24"
                ) from None
        return cls(tuple(networks))

    def __contains__(self, host: object) -> bool:
        address = _parse_address(host) if isinstance(host, str) else None
        return address is not None and any(address in network for network in self.networks)


class Forwarded:
    """ASGI middleware: sets address, host and scheme of the visitor's request, from its headers.

    The scheme is taken from anybody: it only decides whether a visitor's own cookie is secure.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without the headers."""
        if scope["type"] != "lifespan":
            headers: list[tuple[bytes, bytes]] = list(scope["headers"])
            kept = [(name, value) for name, value in headers if name not in _REMOVED]
            scheme = next((value for name, value in headers if name == _PROTO), b"")
            if scheme.partition(b",")[0].strip() in {b"https", b"wss"}:
                scope["scheme"] = "wss" if scope["type"] == "websocket" else "https"
            peer = scope["client"][0] if scope.get("client") else ""
            if peer in self._proxies:
                chain = [value.decode("latin-1") for name, value in headers if name == _FOR]
                scope["client"] = (self._client_of(chain, peer), 0)
                host = next((value for name, value in headers if name == _HOST), None)
                if host is not None:
                    kept = [(name, value) for name, value in kept if name != b"host"]
                    kept.append((b"host", host.split(b",")[-1].strip()))
            scope["headers"] = kept
        await self._app(scope, receive, send)

    def _client_of(self, chain: Sequence[str], peer: str) -> str:
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


def visitor_address(scope: Scope) -> str:
    """Return the address of a visitor; empty if it is not known."""
    return str(scope["client"][0]) if scope.get("client") else ""


def network_of(address: str) -> str:
    """Return by what visitors are told apart: their address, or their network of IPv6 addresses.

    A single subscriber has 2^64 of these.
    """
    found = _parse_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or address)


def handed_on(address: str, ui_secret: str) -> list[tuple[str, str]]:
    """Return the headers that tell the API for whom a call is.

    It believes them by the secret, or where it has this server among its trusted proxies.
    """
    return [(FOR, address), *proof(ui_secret)] if address else []


def proof(ui_secret: str) -> list[tuple[str, str]]:
    """Return the header by which the API knows this server; none without a secret."""
    return [(UI_SECRET, ui_secret)] if ui_secret else []


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
