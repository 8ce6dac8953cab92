"""What every answer tells browsers not to do with it."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.names import API_PREFIX

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ANSWERS: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""An answer of the API is data: even one that holds a team's upload runs nothing."""
PAGES: Final = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
"""The page of the OpenAPI loads its scripts from elsewhere."""


class SafeHeaders:
    """ASGI middleware: adds them to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = ANSWERS if scope["path"].startswith(API_PREFIX) else PAGES

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = policy
            await send(message)

        await self._app(scope, receive, dressed)
