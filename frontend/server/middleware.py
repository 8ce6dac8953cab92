"""The middleware in front of all pages: it demands a sign-in and sets security headers."""

from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.server.proxy import error_response
from frontend.server.sessions import COOKIE, ApiAuth, Sessions

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
CONTENT_POLICY: Final = (
    "frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
"""The strictest policy that Streamlit's pages work with: they write scripts and styles."""
SIGNED_IN_PATHS: Final = ("/_stcore/upload_file/", "/_stcore/agent/", "/media/")
"""Paths for files of pages and for programs; they need a signed-in session."""
NOT_PAGES: Final = ("/signin", "/api/", "/_stcore/", "/lossboard-js/", "/static/", "/media/")


class SignInMiddleware:
    """ASGI middleware: redirect pages to the sign-in, refuse files without a session, add headers.

    The pages' websocket is open without a session: the entry page then draws nothing but the way
    to the sign-in page.
    """

    def __init__(self, app: ASGIApp, auth: ApiAuth, sessions: Sessions) -> None:
        self._app = app
        self._auth = auth
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, redirect it to the sign-in, or refuse it."""
        if scope["type"] == "websocket":
            await self._may_enter(scope)  # sets `sessions.needed`, which the entry page reads
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
            await send(message)

        if is_page(scope) and not await self._may_enter(scope):
            query = scope["query_string"].decode("latin-1")
            path = f"{scope['path']}?{query}" if query else scope["path"]
            redirect = RedirectResponse(f"/signin?{urlencode({'next': path})}", status_code=303)
            redirect.headers["Cache-Control"] = "no-store"
            await redirect(scope, receive, send_with_headers)
            return
        if scope["path"].startswith(SIGNED_IN_PATHS) and not await self._may_enter(scope):
            refused = error_response(401, "unauthorized", "Sign in first: your session has ended.")
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    async def _may_enter(self, scope: Scope) -> bool:
        """Return whether the request has a session, or the API needs no sign-in."""
        cookie = HTTPConnection(scope).cookies.get(COOKIE)
        if self._sessions.find(cookie) is not None:
            return True
        self._sessions.needed = await self._auth.needs_sign_in()
        return not self._sessions.needed


def is_page(scope: Scope) -> bool:
    """Return whether a browser opens a page with this request."""
    accepted = HTTPConnection(scope).headers.get("accept", "")
    is_html = scope["method"] == "GET" and "text/html" in accepted
    return is_html and not scope["path"].startswith(NOT_PAGES)
