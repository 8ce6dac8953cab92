"""ASGI middleware for all routes: security headers; the route's template."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.names import API_PREFIX

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""An answer of the API is data: even one that holds a team's upload may run nothing."""
PAGE_POLICY: Final = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
"""The page of the OpenAPI document loads its scripts from another site."""


class SecurityHeaders:
    """ASGI application around the whole app: adds security headers to every answer.

    Unexpected errors and refused websockets get them too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the headers."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        is_api = API_PREFIX in scope["path"]  # also below a base path
        policy = API_POLICY if is_api else PAGE_POLICY

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = policy
            await send(message)

        await self._app(scope, receive, send_with_headers)


def route_template(scope: Scope) -> str:
    """Return the route's path with the names of its parameters; "" if no route matched."""
    path = getattr(scope.get("route"), "path", "")
    return path if not path or path.startswith(API_PREFIX) else API_PREFIX + path
