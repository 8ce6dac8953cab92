"""The security headers of every answer of the UI's server."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
CONTENT_POLICY: Final = (
    "img-src 'self' data: blob:; "
    "frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
"""The strictest policy that Streamlit's pages work with: they write scripts and styles. Images come
from this server or from the page itself: a picture in somebody's notes must not call elsewhere."""
STARTS: Final = ("http.response.start", "websocket.http.response.start")


class SecurityHeaders:
    """ASGI middleware: adds the headers to every answer, refused websockets included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in STARTS:
                add_headers(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def add_headers(headers: MutableHeaders) -> None:
    """Add the headers; a stricter policy of the answer itself stays."""
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)


def on_unexpected_error(_: Request, error: Exception) -> Response:
    """Answer 500 without details; the server logs the error. No middleware sees this answer."""
    del error
    answer = PlainTextResponse("Internal error; see the server log.\n", 500)
    add_headers(answer.headers)
    return answer
