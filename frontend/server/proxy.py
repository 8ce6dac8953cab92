"""Hands the browser's calls of /api/v1 on to the API, so that pages and API share one origin.

Bodies pass as they come, in both directions: an event stream reaches the viewer event by event, an
upload the API without ever lying whole in this process.

What can be said of where a request comes from, and where it may be led.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, urlsplit

import anyio
import httpx
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from frontend.server.sessions import COOKIE, Sessions

READING: Final = ("GET", "HEAD", "OPTIONS")


def is_own(request: HTTPConnection, *, proof: bool) -> bool:
    """Whether a request was made by our own pages, or by no page at all.

    A browser says so itself, and no page can make it lie: where it trusts the connection in
    Sec-Fetch-Site, and for whatever may change something in Origin.

    Args:
        request: as it came.
        proof: whether it has to say so; else silence is fine, as programs keep it.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    if origin is not None:
        hosts = (request.headers.get("host"), request.headers.get("x-forwarded-host"))
        return bool(urlsplit(origin).netloc) and urlsplit(origin).netloc in hosts
    return not proof


def is_secure(request: HTTPConnection) -> bool:
    """Whether the browser's connection is encrypted, here or at a proxy in front."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return (forwarded or request.url.scheme) in {"https", "wss"}


def own_path(asked: str) -> str:
    """The path to go on to: as asked if it is one of ours, else the first page's."""
    parts = urlsplit(asked)
    fine = (
        asked.startswith("/")
        and not asked.startswith(("//", "/\\"))
        and not (parts.scheme or parts.netloc)
        and asked.isprintable()
        and parts.path not in {"/signin", "/signout"}
    )
    return asked if fine else "/"


logger = logging.getLogger(__name__)

PREFIX: Final = "/api/v1"
METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
"""A silent event stream is cut after a minute; the API pings every 15 s."""
CHECKING: Final = httpx.Timeout(2000.0, connect=5.0)
"""Of an uploaded data set, which the API checks row by row before it answers, and of an exported
table, which it writes whole before."""

LOOK_S: Final = 2.0
"""How often an answer under way looks whether whoever gets it is still signed in."""

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
_NOT_ANSWERED: Final = _HOP_BY_HOP | {"date", "server"}
_NOT_SENT: Final = _HOP_BY_HOP | {"host", "accept-encoding", "cookie", "origin"}
"""Cookies are this server's own, and so is the origin; and what is not compressed needs no
unpacking here."""


class Proxy:
    """Streams requests to one API and its answers back."""

    def __init__(
        self, client: httpx.AsyncClient, api_url: str, sessions: Sessions | None = None
    ) -> None:
        self._client = client
        self._api_url = api_url
        self._sessions = sessions or Sessions()
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End the streams under way, so that the server can stop at once."""
        self._closing.set()

    def route(self) -> Route:
        """The route that serves everything under PREFIX."""
        return Route(f"{PREFIX}/{{path:path}}", self.answer, methods=METHODS)

    async def answer(self, request: Request) -> Response:
        """Relay one request, in the name of whoever is signed in; never one to the workers' side of
        the API, nor one by which another site's page would change something."""
        path = request.path_params["path"]
        if not is_public(path):
            return problem(404, "not_found", "There is no such address.")
        own = request.cookies.get(COOKIE)
        session = None if "authorization" in request.headers else self._sessions.find(own)
        if request.method not in READING and not is_own(request, proof=session is not None):
            return problem(
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
                *_kept(request.headers.items(), _NOT_SENT),
                *([("authorization", f"Bearer {session.token}")] if session else []),
            ],
            content=request.stream() if _has_body(request) else None,
            timeout=CHECKING if is_slow(request.method, path) else TIMEOUT,
        )
        try:
            incoming = await self._client.send(outgoing, stream=True)
        except ClientDisconnect:
            return Response(status_code=499)  # told to nobody: the viewer left in mid-upload
        except httpx.TransportError as error:
            logger.warning("API away: %s %s: %r", request.method, request.url.path, error)
            return problem(502, "api_unavailable", "The API does not answer. Is it running?")
        if session and incoming.status_code == httpx.codes.UNAUTHORIZED:
            self._sessions.end(own)  # its token was taken back
        return _Relay(incoming, self._closing, self._has_ended(own if session else None))

    def _has_ended(self, own: str | None) -> Callable[[], bool]:
        """Whether the session that a call was made in is over; one of nobody's never is."""
        return lambda: own is not None and self._sessions.find(own) is None


class _Relay(Response):
    """An answer of the API on its way to the viewer; closed as soon as either side leaves."""

    def __init__(
        self, incoming: httpx.Response, closing: asyncio.Event, has_ended: Callable[[], bool]
    ) -> None:
        super().__init__(status_code=incoming.status_code)
        self._incoming = incoming
        self._closing = closing
        self._has_ended = has_ended
        self._whole = False
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in _kept(incoming.headers.multi_items(), _NOT_ANSWERED)
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
                await send(_end())
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
                return  # unfinished: the server then cuts the connection, and the viewer knows
        self._whole = True
        await send(_end())

    @property
    def _sized(self) -> bool:
        return "content-length" in self._incoming.headers

    async def _until_left(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _until_signed_out(self, scope: anyio.CancelScope) -> None:
        while not self._has_ended():
            await anyio.sleep(LOOK_S)
        scope.cancel()

    async def _until_closing(self, scope: anyio.CancelScope) -> None:
        await self._closing.wait()
        scope.cancel()


def is_public(path: str) -> bool:
    """Whether a decoded path below PREFIX may be asked for from a browser."""
    segments = path.split("/")
    return not any(part in {".", "..", "internal"} or "\\" in part for part in segments)


def is_slow(method: str, path: str) -> bool:
    """Whether the API may work on a call for minutes before it answers."""
    return (method, path) == ("POST", "datasets") or (method == "GET" and path.endswith("/export"))


def _has_body(request: Request) -> bool:
    """Whether a body follows: then it is passed on as it comes, for uploads are large."""
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def problem(status: int, error: str, message: str) -> JSONResponse:
    """An error in the API's own shape."""
    return JSONResponse({"error": error, "message": message, "fields": []}, status_code=status)


def _kept(headers: Iterable[tuple[str, str]], dropped: set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _end() -> Message:
    """The message that ends a body; a new one each time, as middleware may write into it."""
    return {"type": "http.response.body", "body": b"", "more_body": False}
