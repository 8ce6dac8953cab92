"""What can be said of where a request comes from, and where it may be led."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

READING: Final = ("GET", "HEAD", "OPTIONS")


def is_own(request: HTTPConnection, *, proof: bool) -> bool:
    """Whether a request was made by our own pages, or by no page at all.

    A browser says so itself, and no page can make it lie: where it trusts the connection in
    Sec-Fetch-Site, and for whatever may change something in Origin.

    Args:
        request: as it came.
        proof: whether it has to say so; else silence is fine, as programs keep it.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    if origin is not None:
        hosts = (request.headers.get("host"), request.headers.get("x-forwarded-host"))
        return bool(urlsplit(origin).netloc) and urlsplit(origin).netloc in hosts
    return not proof


def is_secure(request: HTTPConnection) -> bool:
    """Whether the browser's connection is encrypted, here or at a proxy in front."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return (forwarded or request.url.scheme) in {"https", "wss"}


def own_path(asked: str) -> str:
    """The path to go on to: as asked if it is one of ours, else the first page's."""
    parts = urlsplit(asked)
    fine = (
        asked.startswith("/")
        and not asked.startswith(("//", "/\\"))
        and not (parts.scheme or parts.netloc)
        and asked.isprintable()
        and parts.path not in {"/signin", "/signout"}
    )
    return asked if fine else "/"
