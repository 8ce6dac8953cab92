"""Before all pages: who is not signed in comes to the sign-in page, and then to what was asked."""

from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.server.proxy import problem
from frontend.server.sessions import COOKIE, Door, Sessions

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
POLICY: Final = "frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
"""As much as Streamlit's pages live with: they make scripts and styles as they go."""
INSIDE: Final = ("/_stcore/upload_file/", "/_stcore/agent/", "/media/")
"""Where pages take and give files, and where programs may use them."""
NO_PAGES: Final = ("/signin", "/api/", "/_stcore/", "/lossboard/", "/static/", "/media/")


class Gate:
    """ASGI middleware: leads documents to the sign-in, takes and gives strangers no file, and tells
    browsers what not to do with any answer.

    Strangers may open the pages' socket: the entry draws them nothing but the way to the sign-in.
    """

    def __init__(self, app: ASGIApp, door: Door, sessions: Sessions) -> None:
        self._app = app
        self._door = door
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or lead it to the sign-in."""
        if scope["type"] == "websocket":
            await self._inside(scope)  # the entry asks what came of it
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", POLICY)
            await send(message)

        if _is_page(scope) and not await self._inside(scope):
            query = scope["query_string"].decode("latin-1")
            asked = f"{scope['path']}?{query}" if query else scope["path"]
            led = RedirectResponse(f"/signin?{urlencode({'next': asked})}", status_code=303)
            led.headers["Cache-Control"] = "no-store"
            await led(scope, receive, dressed)
            return
        if scope["path"].startswith(INSIDE) and not await self._inside(scope):
            refused = problem(401, "unauthorized", "Sign in first: your session has ended.")
            await refused(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)

    async def _inside(self, scope: Scope) -> bool:
        own = HTTPConnection(scope).cookies.get(COOKIE)
        if self._sessions.find(own) is not None:
            return True
        self._sessions.needed = await self._door.locked()
        return not self._sessions.needed


def _is_page(scope: Scope) -> bool:
    """Whether it is a person's browser that opens a page."""
    accepted = HTTPConnection(scope).headers.get("accept", "")
    asked = scope["method"] == "GET" and "text/html" in accepted
    return asked and not scope["path"].startswith(NO_PAGES)
