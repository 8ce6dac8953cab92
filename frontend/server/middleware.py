"""Before all pages: who is not signed in comes to the sign-in page, and then to what was asked.

Whether the API needs a token, and whose one is.
"""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import httpx
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.api.transport import PREFIX
from frontend.server.proxy import problem
from frontend.server.sessions import COOKIE, Person, Sessions

KNOWN_S: Final = 5.0
"""How long an answer is taken for the state of things."""
ASKING: Final = httpx.Timeout(10.0, connect=3.0)


class DoorAwayError(Exception):
    """The API does not say; for people."""


class Door:
    """Asks the API."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_url: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._url = f"{api_url}{PREFIX}/me"
        self._clock = clock
        self._locked = False
        self._asked: float | None = None

    async def locked(self) -> bool:
        """Whether one has to sign in.

        While the API is away it is as it was last; at first open, for there is nothing to see
        without the API, and the page itself says that it is away.
        """
        now = self._clock()
        if self._asked is None or now - self._asked >= KNOWN_S:
            try:
                answer = await self._client.get(self._url, timeout=ASKING)
            except httpx.HTTPError:
                return self._locked
            self._locked, self._asked = answer.status_code == httpx.codes.UNAUTHORIZED, now
        return self._locked

    async def owner(self, token: str) -> Person | None:
        """Whose token it is; None for nobody's.

        Raises:
            DoorAwayError: the API does not say.
        """
        try:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await self._client.get(self._url, headers=headers, timeout=ASKING)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                return None
            said = answer.raise_for_status().json()
            return Person(str(said["name"]), str(said["role"]))
        except (UnicodeEncodeError, httpx.LocalProtocolError):
            return None  # such a thing cannot even be sent
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise DoorAwayError(
                "The API does not answer, so nobody can be let in now. Is it running?"
            ) from error


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
