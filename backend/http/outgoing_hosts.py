"""The servers that this process may call for people: named by an admin, at addresses that are
checked after their names were resolved.

Whoever may set an address that we call could otherwise reach what only this machine reaches: its
own services, the network behind it, the cloud's metadata (server-side request forgery). A name that
is allowed may still lead there, also from one moment to the next, so the addresses are checked of
which one is connected to.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from backend.http.forwarded import Address
from backend.http.hosts import host_name

PRIVATE: Final = "private:"
"""Before an entry whose host may have an address of this machine or of a private network."""
PORTS: Final = {"https": 443, "http": 80}
MAX_URL_LENGTH: Final = 2000
_ENTRY: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_NEVER: Final = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "168.63.129.16")
)
"""Addresses of clouds' metadata that lie in ranges of others."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_INTERNAL: Final = (
    ipaddress.IPv4Network("100.64.0.0/10"),  # shared: carriers, overlay networks
    ipaddress.IPv6Network("fec0::/10"),  # site-local, of old networks
)
"""Networks that are not public, which `is_private` of Python does not count."""


@dataclass(frozen=True)
class Target:
    """A server that may be called."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""
    private: bool
    """Whether it may have a private address."""

    @property
    def authority(self) -> str:
        """The Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True)
class _Entry:
    pattern: str
    """A name, `*.` and the end of names, or an address."""
    port: int | None
    private: bool

    def matches(self, host: str, port: int, scheme: str) -> bool:
        if self.pattern.startswith("*."):
            of_host = host.endswith(self.pattern[1:]) and len(host) > len(self.pattern) - 1
        else:
            of_host = host == self.pattern
        usual = {443, 80} if self.private else {443}
        return (
            of_host
            and (port == self.port if self.port else port in usual)
            and (self.private or scheme == "https")
        )


@dataclass(frozen=True)
class OutgoingHosts:
    """The hosts that may be called; none unless they are named."""

    names: tuple[str, ...] = ()
    """As they were written."""
    entries: tuple[_Entry, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the hosts, separated by commas.

        Raises:
            ValueError: an entry is none; the message says which.
        """
        names = tuple(entry.strip() for entry in text.split(",") if entry.strip())
        return cls(names, tuple(map(_parse_entry, names)))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def target(self, url: str) -> Target:
        """Return where an address leads, if that may be called.

        Raises:
            ValueError: it is not valid, or may not be called; the message says why, without what
                follows the host, which may be secret.
        """
        parts, host, port = _split(url)
        entries = [one for one in self.entries if one.matches(host, port, parts.scheme)]
        if not entries:
            raise ValueError(self._refusal(host, port, parts.scheme))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        private = any(one.private for one in entries)
        return Target(parts.scheme, host, port, path, private)

    def _refusal(self, host: str, port: int, scheme: str) -> str:
        known = [one for one in self.entries if one.matches(host, one.port or 443, "https")]
        if known and scheme == "http" and not any(one.private for one in known):
            return "must begin with https://"
        if known:
            return f"port {port} of {host} is not allowed; an admin can add {host}:{port}"
        return (
            f"the host {host} is not allowed; an admin can add it to LOSSBOARD_ALERT_HOSTS and "
            "start the API again"
        )


NO_HOSTS: Final = OutgoingHosts()


def address_problem(text: str, *, private: bool) -> str | None:
    """Return why an address must not be connected to; None if it may.

    Args:
        text: an IP address, as the resolver gives it.
        private: whether addresses of this machine and of private networks are allowed.
    """
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or _behind_nat64(address) or address
    for one in (address, *_embedded(address)):
        never = one in _NEVER or one.is_link_local or one.is_multicast or one.is_unspecified
        own = one.is_loopback or (one.is_private and not one.is_reserved)
        own = own or any(one in network for network in _INTERNAL)
        if never or not (own or one.is_global) or (one.is_reserved and not own):
            return f"it has the address {text}, which is never called"
        if own and not private:
            return (
                f"it has the address {text}, which is not public; an admin can list the host as "
                f"{PRIVATE}HOST"
            )
    return None


def masked(url: str) -> str:
    """Return an address as people may see it: what follows the host may be secret."""
    parts = urlsplit(url)
    rest = "/…" if (parts.path not in {"", "/"} or parts.query) else ""
    return f"{parts.scheme}://{parts.netloc}{rest}"


def _embedded(address: Address) -> Sequence[Address]:
    """Return the IPv4 addresses to which packets to an IPv6 address may go."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found = (address.sixtofour, *(address.teredo or ()))
    return [one for one in found if one is not None]


def _behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a network without IPv4 reaches under this one."""
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


def _split(url: str) -> tuple[SplitResult, str, int]:
    """Return the parts of an address, its host and its port.

    Raises:
        ValueError: it is not valid.
    """
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"has {len(url)} characters; at most {MAX_URL_LENGTH} are taken")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("has characters that no address has; encode them with %")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a valid address") from None
    if parts.scheme not in PORTS:
        raise ValueError("must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or a password")
    literal = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":")
    host = host_name(literal)
    if host is None or port == 0:
        raise ValueError("has no valid host")
    return parts, host, port or PORTS[parts.scheme]


def _parse_entry(text: str) -> _Entry:
    private = text.startswith(PRIVATE)
    found = _ENTRY.fullmatch(text.removeprefix(PRIVATE))
    if found:
        literal = found["host"]
        is_pattern = literal.startswith("*.")
        host = host_name(literal.removeprefix("*.") if is_pattern else literal)
        port = int(found["port"]) if found["port"] else None
        if host is not None and (port is None or 0 < port < 65536):
            return _Entry(f"*.{host}" if is_pattern else host, port, private)
    raise ValueError(
        f"has {text!r}, which is not a host; give such as hooks.slack.com, *.example.org, "
        "hooks.example.org:8443 or private:10.0.0.5:9000"
    )
