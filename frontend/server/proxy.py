"""Pass the browser's calls of /api/v1 on to the API, so that pages and API share one origin.

Bodies are streamed in both directions: an event stream reaches the viewer event by event, and an
upload is never held whole in this process. The module also checks where a request comes from and
which paths a sign-in may lead to.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import anyio
import httpx
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from frontend.server.forwarded import FOR, UI_SECRET, handed_on, visitor_address
from frontend.server.sessions import COOKIE, Sessions

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")


def is_same_origin(request: HTTPConnection, *, proof: bool) -> bool:
    """Return whether a request was made by our own pages or by no page at all.

    The browser states this itself, and no page can change what it states: in Sec-Fetch-Site where
    it trusts the connection, and in Origin for every request that may change something.

    Args:
        request: the request.
        proof: whether one of these headers is required; without it a request that has neither is
            accepted, because programs send none.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    if origin is not None:
        asked = urlsplit(origin).netloc
        return bool(asked) and asked == request.headers.get("host")
    return not proof


def is_secure(request: HTTPConnection) -> bool:
    """Return whether the browser's connection is encrypted, here or at a proxy in front of us."""
    return request.url.scheme in {"https", "wss"}


def safe_path(path: str) -> str:
    """Return the path if it is one of our own, to which a sign-in may lead, else "/".

    Raises:
        ValueError: it is malformed, such as `//[`.
    """
    parts = urlsplit(path)
    is_ours = (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and not (parts.scheme or parts.netloc)
        and path.isprintable()
        and parts.path not in {"/signin", "/signout"}
    )
    return path if is_ours else "/"


logger = logging.getLogger(__name__)

PREFIX: Final = "/api/v1"
METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
"""A silent event stream is cut after a minute; the API pings every 15 s."""
SLOW_TIMEOUT: Final = httpx.Timeout(2000.0, connect=5.0)
"""For calls that the API works on before it answers: it checks an uploaded data set row by row, and
writes an exported table whole."""

SESSION_CHECK_S: Final = 2.0
"""Seconds between checks, during an answer, that its viewer is still signed in."""

_HOP_BY_HOP: Final = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_NOT_RETURNED: Final = _HOP_BY_HOP | {"date", "server"}
_OWN: Final = {"host", "cookie", "origin", FOR, UI_SECRET}
"""Request headers that are meant for this server."""
_NOT_FORWARDED: Final = _HOP_BY_HOP | _OWN | {"accept-encoding"}
"""Request headers that are not passed on; an answer that is not compressed need not be unpacked."""


class Proxy:
    """Streams requests to one API, and its answers back."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_url: str,
        sessions: Sessions | None = None,
        *,
        ui_secret: str = "",
    ) -> None:
        self._client = client
        self._api_url = api_url
        self._ui_secret = ui_secret
        self._sessions = sessions or Sessions()
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all streams, so that the server can stop at once."""
        self._closing.set()

    def route(self) -> Route:
        """Return the route that serves everything under PREFIX."""
        return Route(f"{PREFIX}/{{path:path}}", self.answer, methods=METHODS)

    async def answer(self, request: Request) -> Response:
        """Pass one request on in the name of the signed-in person, and return the API's answer.

        Refused are requests to the workers' part of the API, and requests by which a page of
        another site would change something.
        """
        path = request.path_params["path"]
        if not is_public(path):
            return error_response(404, "not_found", "There is no such address.")
        cookie = request.cookies.get(COOKIE)
        session = None if "authorization" in request.headers else self._sessions.find(cookie)
        is_safe = request.method in SAFE_METHODS
        if not is_safe and not is_same_origin(request, proof=session is not None):
            return error_response(
                403,
                "forbidden",
                "A page of another address asks for this. Open Lossboard itself and do it there.",
            )
        url = f"{self._api_url}{PREFIX}/{quote(path)}"
        if request.url.query:
            url += f"?{request.url.query}"
        outgoing = self._client.build_request(
            request.method,
            url,
            headers=[
                *_without(request.headers.items(), _NOT_FORWARDED),
                *handed_on(visitor_address(request.scope), self._ui_secret),
                *([("authorization", f"Bearer {session.token}")] if session else []),
            ],
            content=request.stream() if _has_body(request) else None,
            timeout=SLOW_TIMEOUT if is_slow(request.method, path) else TIMEOUT,
        )
        try:
            incoming = await self._client.send(outgoing, stream=True)
        except ClientDisconnect:
            return Response(status_code=499)  # the viewer left during the upload
        except HTTPException as error:  # of the body: it does not come
            refusal = error_response(error.status_code, "request_timeout", error.detail)
            refusal.headers.update(error.headers or {})
            return refusal
        except httpx.TransportError as error:
            logger.warning("API away: %s %s: %r", request.method, request.url.path, error)
            return error_response(502, "api_unavailable", "The API does not answer. Is it running?")
        if session and incoming.status_code == httpx.codes.UNAUTHORIZED:
            self._sessions.end(cookie)  # the session's token was revoked
        return _Relay(incoming, self._closing, self._has_ended(cookie if session else None))

    def _has_ended(self, cookie: str | None) -> Callable[[], bool]:
        """Return a check that the call's session has ended; False for a call without a session."""
        return lambda: cookie is not None and self._sessions.find(cookie) is None


class _Relay(Response):
    """An answer of the API, passed on to the viewer; closed as soon as either side leaves."""

    def __init__(
        self, incoming: httpx.Response, closing: asyncio.Event, has_ended: Callable[[], bool]
    ) -> None:
        super().__init__(status_code=incoming.status_code)
        self._incoming = incoming
        self._closing = closing
        self._has_ended = has_ended
        self._whole = False
        self.raw_headers = [
            (name.lower().encode("latin-1"), _without_origin(name, value).encode("latin-1"))
            for name, value in _without(incoming.headers.multi_items(), _NOT_RETURNED)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_left, receive, tasks.cancel_scope)
                tasks.start_soon(self._until_closing, tasks.cancel_scope)
                tasks.start_soon(self._until_signed_out, tasks.cancel_scope)
                await self._relay(send)
                tasks.cancel_scope.cancel()
            over = self._closing.is_set() or self._has_ended()
            if over and not self._sized and not self._whole:
                await send(_end_of_body())
        finally:
            with anyio.CancelScope(shield=True):
                await self._incoming.aclose()

    async def _relay(self, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        try:
            async for chunk in self._incoming.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except httpx.TransportError as error:
            logger.warning("API left in mid-answer: %s: %r", self._incoming.url.path, error)
            if self._sized:
                return  # the server cuts an unfinished answer, which shows the viewer the failure
        self._whole = True
        await send(_end_of_body())

    @property
    def _sized(self) -> bool:
        return "content-length" in self._incoming.headers

    async def _until_left(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _until_signed_out(self, scope: anyio.CancelScope) -> None:
        while not self._has_ended():
            await anyio.sleep(SESSION_CHECK_S)
        scope.cancel()

    async def _until_closing(self, scope: anyio.CancelScope) -> None:
        await self._closing.wait()
        scope.cancel()


def is_public(path: str) -> bool:
    """Return whether a browser may ask for a decoded path below PREFIX."""
    segments = path.split("/")
    return not any(part in {".", "..", "internal"} or "\\" in part for part in segments)


def is_slow(method: str, path: str) -> bool:
    """Return whether the API may work on a call for minutes before it answers."""
    if method == "POST":
        return path == "datasets" or (path.startswith("datasets/") and path.endswith("/answers"))
    return method in {"GET", "HEAD"} and path.endswith("/export")


def _has_body(request: Request) -> bool:
    """Return whether the request has a body, which is then streamed because uploads are large."""
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def error_response(status: int, error: str, message: str) -> JSONResponse:
    """Return an error in the API's own format."""
    return JSONResponse({"error": error, "message": message, "fields": []}, status_code=status)


def _without(headers: Iterable[tuple[str, str]], dropped: set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _without_origin(name: str, value: str) -> str:
    """Return a header's value; of a redirect, which names the API's own address, the path."""
    if name.lower() != "location":
        return value
    return urlunsplit(urlsplit(value)._replace(scheme="", netloc=""))


def _end_of_body() -> Message:
    """Return the message that ends a body; a new one each time, as middleware may change it."""
    return {"type": "http.response.body", "body": b"", "more_body": False}
