"""The proxy between a real viewer (httpx) and a real upstream, all over loopback sockets."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from frontend.server.proxy import Proxy, is_public
from tests.support.ports import free_ports
from tests.support.serving import serving


@dataclass
class Upstream:
    """An API that returns the request it got, and streams until it is stopped."""

    more: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    seen: list[dict[str, str]] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    broken: threading.Event = field(default_factory=threading.Event)

    async def echo(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.seen.append(dict(request.headers))
        content = {"method": request.method, "path": request.url.path, "body": body}
        answer = {**content, "query": request.url.query}
        return JSONResponse(answer, 201, headers={"X-Own": "kept"})

    async def datasets(self, request: Request) -> Response:
        """Answer at once that an upload has begun, and then how long it was."""
        self.seen.append(dict(request.headers))
        length = 0
        try:
            async for chunk in request.stream():
                length += len(chunk)
                if chunk:
                    self.begun.set()
        except ClientDisconnect:
            self.broken.set()
            raise
        return JSONResponse({"length": length}, 201)

    async def refuse(self, _request: Request) -> Response:
        """Answer before the body has arrived."""
        return JSONResponse({"error": "too_large", "message": "no", "fields": []}, 413)

    async def moved(self, request: Request) -> Response:
        """Redirect as the API does: to an address with its own host and port."""
        return RedirectResponse(str(request.url.replace(path="/api/v1/comparisons")))

    async def live(self, request: Request) -> Response:
        self.seen.append(dict(request.headers))
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        try:
            yield "id: 1\nevent: reset\ndata: {}\n\n"
            while not self.more.is_set():
                await asyncio.sleep(0.01)
            yield "id: 2\nevent: points\ndata: {}\n\n"
            while True:
                await asyncio.sleep(0.01)
        finally:
            self.left.set()

    def app(self) -> Starlette:
        methods = ["GET", "POST", "PATCH", "DELETE"]
        routes = [
            Route("/api/v1/live", self.live),
            Route("/api/v1/moved", self.moved),
            Route("/api/v1/datasets", self.datasets, methods=["POST"]),
            Route("/api/v1/refuse", self.refuse, methods=["POST"]),
            Route("/api/v1/{path:path}", self.echo, methods=methods),
        ]
        return Starlette(routes=routes)


@dataclass
class Front:
    """The proxy as the UI's server runs it."""

    proxy: Proxy
    client: httpx.AsyncClient

    def app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with self.client:
                yield

        # Streamlit compresses too; its middleware writes into the messages it is sent.
        compression = [Middleware(GZipMiddleware, minimum_size=1)]
        return Starlette(routes=[self.proxy.route()], lifespan=lifespan, middleware=compression)


def front(api_url: str) -> Front:
    client = httpx.AsyncClient(trust_env=False)
    return Front(Proxy(client, api_url), client)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def behind(upstream: Upstream) -> Iterator[tuple[httpx.Client, Proxy]]:
    """A viewer's client at the proxy, and the proxy."""
    with serving(upstream.app()) as api_url:
        fronted = front(api_url)
        with (
            serving(fronted.app()) as ui_url,
            httpx.Client(base_url=ui_url, timeout=60, trust_env=False) as viewer,
        ):
            yield viewer, fronted.proxy
            fronted.proxy.close()


@pytest.mark.parametrize("path", ["comparisons", "live"])
def test_a_head_request_gets_the_head_alone(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream, path: str
) -> None:
    viewer, _ = behind
    answer = viewer.head(f"/api/v1/{path}")
    assert answer.status_code == (200 if path == "live" else 201)
    assert answer.content == b""
    assert answer.headers["content-type"].startswith(
        "text/event-stream" if path == "live" else "application/json"
    )


def test_the_api_is_told_the_visitors_address_and_nothing_that_the_visitor_says_of_it(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, _ = behind
    viewer.get("/api/v1/me", headers={"X-Forwarded-For": "1.2.3.4", "X-Lossboard-UI": "guessed"})
    [seen] = upstream.seen
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert "x-lossboard-ui" not in seen


def test_method_path_query_body_and_status_pass(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, _ = behind
    headers = {"Authorization": "Bearer token", "Cookie": "streamlit=1"}
    answer = viewer.post(
        "/api/v1/comparisons/c%C3%BC/x?a=1&a=2&q=b%20c", content="body", headers=headers
    )
    assert answer.status_code == 201
    assert answer.headers["x-own"] == "kept"
    assert answer.json() == {
        "method": "POST",
        "path": "/api/v1/comparisons/cü/x",
        "query": "a=1&a=2&q=b%20c",
        "body": "body",
    }
    [seen] = upstream.seen
    assert seen["authorization"] == "Bearer token"
    assert "cookie" not in seen


def test_a_redirect_of_the_api_stays_on_the_viewers_address(
    behind: tuple[httpx.Client, Proxy],
) -> None:
    viewer, _ = behind
    answer = viewer.get("/api/v1/moved?page=2")
    assert (answer.status_code, answer.headers["location"]) == (307, "/api/v1/comparisons?page=2")


def test_answers_are_whole_one_after_the_other(behind: tuple[httpx.Client, Proxy]) -> None:
    viewer, _ = behind
    answers = [viewer.get(f"/api/v1/{number}") for number in range(3)]
    assert [answer.json()["path"] for answer in answers] == [f"/api/v1/{n}" for n in range(3)]
    assert {answer.headers["content-encoding"] for answer in answers} == {"gzip"}


def test_events_pass_one_by_one_and_leaving_closes_the_upstream(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, _ = behind
    headers = {"Last-Event-ID": "7-1", "Authorization": "Bearer t"}
    with viewer.stream("GET", "/api/v1/live", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        pieces = answer.iter_text()
        assert "event: reset" in next(pieces), "the first event arrives while the stream goes on"
        upstream.more.set()
        assert "event: points" in next(pieces)
        assert not upstream.left.is_set()
    assert upstream.left.wait(60), "the upstream stream must end when its viewer has left"
    assert upstream.seen[0]["last-event-id"] == "7-1"
    assert upstream.seen[0]["authorization"] == "Bearer t"


def test_an_upload_reaches_the_api_while_it_is_sent(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, _ = behind
    arrived: list[bool] = []

    def body() -> Iterator[bytes]:
        yield b"a" * 100_000
        arrived.append(upstream.begun.wait(60))
        yield b"b" * 100_000

    answer = viewer.post("/api/v1/datasets", content=body())
    assert (answer.status_code, answer.json()) == (201, {"length": 200_000})
    assert arrived == [True], "the API has the first part before the last one is sent"
    sized = viewer.post("/api/v1/datasets", content=b"x" * 300_000)
    assert sized.json() == {"length": 300_000}
    assert upstream.seen[1]["content-length"] == "300000"


def test_an_upload_that_its_viewer_breaks_off_ends_at_the_api_too(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, _ = behind

    def body() -> Iterator[bytes]:
        yield b"a" * 100_000
        assert upstream.begun.wait(60)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        viewer.post("/api/v1/datasets", content=body())
    assert upstream.broken.wait(60)
    assert viewer.get("/api/v1/after").status_code == 201


def test_a_refusal_in_mid_upload_reaches_the_viewer(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, _ = behind
    answer = viewer.post("/api/v1/refuse", content=b"x" * 3_000_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_closing_the_proxy_ends_open_streams(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream
) -> None:
    viewer, proxy = behind
    with viewer.stream("GET", "/api/v1/live") as answer:
        pieces = answer.iter_text()
        next(pieces)
        proxy.close()
        assert not [piece for piece in pieces if "points" in piece], "it ends, and cleanly"
    assert upstream.left.wait(60)


@pytest.mark.parametrize(
    "path", ["internal/claim", "internal", "%69nternal/claim", "x/../internal/claim", "x/internal"]
)
def test_the_workers_side_of_the_api_cannot_be_reached(
    behind: tuple[httpx.Client, Proxy], upstream: Upstream, path: str
) -> None:
    viewer, _ = behind
    answer = viewer.post(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "message", "fields"}
    assert upstream.seen == []


def test_an_api_that_is_away_is_said_in_the_one_shape() -> None:
    [port] = free_ports(1)
    fronted = front(f"http://127.0.0.1:{port}")
    with serving(fronted.app()) as ui_url:
        answer = httpx.get(f"{ui_url}/api/v1/workers", trust_env=False)
    assert answer.status_code == 502
    body = answer.json()
    assert body["error"] == "api_unavailable"
    assert body["message"]
    assert body["fields"] == []


def test_public_paths() -> None:
    assert is_public("comparisons/c1/live")
    assert is_public("comparisons/internally")
    assert not is_public("a/./b")
    assert not is_public("a\\internal")
