"""ASGI middleware for all routes: the limit on request bodies, security headers; the route's
template."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import TooLargeError, error_response
from contract.names import API_PREFIX

MAX_BODY_BYTES: Final = 2_000_000
DATASET_UPLOAD: Final = ("POST", f"{API_PREFIX}/datasets")
BLOB_UPLOAD: Final = ("PUT", f"{API_PREFIX}/internal/blobs/")
"""The start of a blob's address. The bodies of these two calls may be larger than MAX_BODY_BYTES:
they are written to disk as they arrive."""


HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""An answer of the API is data: even one that holds a team's upload may run nothing."""
PAGE_POLICY: Final = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
"""The page of the OpenAPI document loads its scripts from another site."""


def is_upload(method: str, path: str) -> bool:
    """Return whether a call may have a large body, which is written to disk as it arrives."""
    is_blob = method == BLOB_UPLOAD[0] and path.startswith(BLOB_UPLOAD[1])
    return is_blob or (method, path) == DATASET_UPLOAD


class BodyLimit:
    """ASGI middleware: answers 413 by the announced length, or as soon as more has arrived."""

    def __init__(self, app: ASGIApp, max_upload: int) -> None:
        self._app = app
        self._max_upload = max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        limit = self._max_upload if is_upload(method, path) else MAX_BODY_BYTES
        message = f"the body is larger than {limit} bytes"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            refusal = error_response(TooLargeError.status, TooLargeError.code, message)
            await refusal(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            received = await receive()
            read += len(received.get("body", b""))
            if read > limit:
                raise HTTPException(TooLargeError.status, message)
            return received

        await self._app(scope, receive_counted, send)


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
