"""Refuses request bodies that are larger than any sensible one.

Refuses request bodies that are larger than any sensible one.

What every answer tells browsers not to do with it.

The template of the route that a request was given to.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import TooLargeError, error_response
from contract.names import API_PREFIX

MAX_BODY_BYTES: Final = 2_000_000
DATASET_UPLOAD: Final = ("POST", f"{API_PREFIX}/datasets")
BLOB_UPLOAD: Final = ("PUT", f"{API_PREFIX}/internal/blobs/")
"""The start of a blob's address. These two calls' bodies may be larger: they are written to disk as
they arrive."""


class BodyLimit:
    """ASGI middleware: 413 by the announced length, or as soon as more has arrived."""

    def __init__(self, app: ASGIApp, max_upload: int) -> None:
        self._app = app
        self._max_upload = max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        upload = (method, path) == DATASET_UPLOAD
        blob = method == BLOB_UPLOAD[0] and path.startswith(BLOB_UPLOAD[1])
        most = self._max_upload if upload or blob else MAX_BODY_BYTES
        message = f"the body is larger than {most} bytes"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            refusal = error_response(TooLargeError.status, TooLargeError.code, message)
            await refusal(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            received = await receive()
            read += len(received.get("body", b""))
            if read > most:
                raise HTTPException(TooLargeError.status, message)
            return received

        await self._app(scope, counted, send)


HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""An answer of the API is data: even one that holds a team's upload runs nothing."""
PAGE_POLICY: Final = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
"""The page of the OpenAPI loads its scripts from elsewhere."""


class SecurityHeaders:
    """ASGI middleware: adds them to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = API_POLICY if scope["path"].startswith(API_PREFIX) else PAGE_POLICY

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = policy
            await send(message)

        await self._app(scope, receive, dressed)


def route_template(scope: Scope) -> str:
    """The route's path with its parameters' names; empty where none matched."""
    path = getattr(scope.get("route"), "path", "")
    return path if not path or path.startswith(API_PREFIX) else API_PREFIX + path
