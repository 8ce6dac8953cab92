"""The middleware in front of all pages, in its order, and the one that demands a sign-in."""

from typing import Final
from urllib.parse import urlencode

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from frontend.server.forwarded import Forwarded, Proxies
from frontend.server.headers import SecurityHeaders
from frontend.server.hosts import AcceptedHosts, HostCheck
from frontend.server.proxy import error_response
from frontend.server.sessions import COOKIE, ApiAuth, Sessions

SIGNED_IN_PATHS: Final = ("/_stcore/upload_file/", "/media/", "/pictures/")
"""Paths for files of pages and for pictures; they need a signed-in session."""
CLOSED_PATHS: Final = (
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/agent/",
    "/auth/",
    "/oauth2callback",
)
"""What Streamlit serves and Lossboard does not use: its own metrics, which tell how much the
server is used, an API for programs, a sign-in with another service."""
NOT_PAGES: Final = ("/signin", "/api/", "/_stcore/", "/lossboard-js/", "/static/", "/media/")


def outer_middleware(proxies: Proxies, hosts: AcceptedHosts, auth: ApiAuth) -> list[Middleware]:
    """Return the middleware that comes before all other; the first is the outermost."""
    return [
        Middleware(SecurityHeaders),
        Middleware(Forwarded, proxies=proxies),
        Middleware(HostCheck, hosts=hosts, needs_sign_in=auth.needs_sign_in),
    ]


class SignInMiddleware:
    """ASGI middleware: redirect pages to the sign-in, refuse files without a session.

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
        if scope["path"].startswith(CLOSED_PATHS):
            closed = error_response(404, "not_found", "There is no such address.")
            await closed(scope, receive, send)
            return
        if is_page(scope) and not await self._may_enter(scope):
            query = scope["query_string"].decode("latin-1")
            path = f"{scope['path']}?{query}" if query else scope["path"]
            redirect = RedirectResponse(f"/signin?{urlencode({'next': path})}", status_code=303)
            redirect.headers["Cache-Control"] = "no-store"
            await redirect(scope, receive, send)
            return
        if scope["path"].startswith(SIGNED_IN_PATHS) and not await self._may_enter(scope):
            refused = error_response(401, "unauthorized", "Sign in first: your session has ended.")
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _may_enter(self, scope: Scope) -> bool:
        """Return whether the request has a session, or the API needs no sign-in."""
        cookie = HTTPConnection(scope).cookies.get(COOKIE)
        session = self._sessions.find(cookie)
        if session is not None and not await self._auth.is_revoked(session.token):
            return True
        self._sessions.end(cookie)
        self._sessions.needed = await self._auth.needs_sign_in()
        return not self._sessions.needed


def is_page(scope: Scope) -> bool:
    """Return whether a browser opens a page with this request."""
    accepted = HTTPConnection(scope).headers.get("accept", "")
    is_html = scope["method"] == "GET" and "text/html" in accepted
    return is_html and not scope["path"].startswith(NOT_PAGES)
