"""The middleware for a proxy that serves Lossboard under a path, such as /lossboard.

What lies behind it knows addresses without the base path only. Both kinds of proxies work, those
that remove the base path before they pass a request on and those that leave it.
"""

import re
from collections.abc import Iterable
from typing import Final

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

_COOKIE_PATH: Final = re.compile(rb"(;\s*path=)/(?=\s*(;|$))", re.IGNORECASE)


class BasePathMiddleware:
    """ASGI middleware: takes the base path off requests and puts it before redirects and cookies.

    A cookie gets the base path as its Path, so that other programs at the proxy's address neither
    see nor replace it.
    """

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        """Create the middleware; an empty base path changes nothing."""
        self._app = app
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without the base path; redirect from the base path without slash."""
        if not self._base_path or scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"] == self._base_path:
            # The page's relative addresses would lead out of the base path.
            query = scope["query_string"].decode("latin-1")
            target = f"{self._base_path}/?{query}" if query else f"{self._base_path}/"
            await RedirectResponse(target, status_code=307)(scope, receive, send)
            return

        async def send_below(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [self._outgoing(header) for header in message.get("headers", ())]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(self._incoming(scope), receive, send_below)

    def _incoming(self, scope: Scope) -> Scope:
        """Return the scope without the base path, where the proxy has left it."""
        changed = {"headers": list(_first_cookies(scope["headers"]))}
        if scope["path"].startswith(f"{self._base_path}/"):
            changed["path"] = scope["path"][len(self._base_path) :]
            raw = scope.get("raw_path")
            own = self._base_path.encode()
            if raw and raw.startswith(own):
                changed["raw_path"] = raw[len(own) :]
        return {**scope, **changed}

    def _outgoing(self, header: Header) -> Header:
        """Return a header of the answer with the base path where it names one of our addresses."""
        name, value = header
        own = self._base_path.encode()
        if name.lower() == b"location":
            ours = value.startswith(b"/") and not value.startswith((b"//", own + b"/"))
            return name, own + value if ours else value
        if name.lower() == b"set-cookie":
            return name, _COOKIE_PATH.sub(rb"\g<1>" + own, value, count=1)
        return header


def _first_cookies(headers: Iterable[Header]) -> Iterable[Header]:
    """Yield the headers; of cookies with the same name only the first remains.

    Browsers send that of the longest Path first: ours, before one that another program at the same
    address has set for all paths. Readers of cookies take the last.
    """
    for name, value in headers:
        if name.lower() != b"cookie":
            yield name, value
            continue
        found: dict[bytes, bytes] = {}
        for cookie in value.split(b";"):
            found.setdefault(cookie.partition(b"=")[0].strip(), cookie.strip())
        yield name, b"; ".join(found.values())
