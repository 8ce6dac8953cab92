"""The UI's server behind a proxy that serves it under a path and keeps or removes that path."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from frontend.server.base_path import BasePathMiddleware

BASE_PATH = "/lossboard"


async def seen(request: Request) -> Response:
    """Return what the server behind the middleware sees."""
    raw = request.scope["raw_path"].decode()
    return JSONResponse(
        {"path": request.url.path, "raw": raw, "query": request.url.query}
        | {"cookies": request.cookies}
    )


async def redirect(request: Request) -> Response:
    answer = RedirectResponse(request.query_params["to"], status_code=303)
    answer.set_cookie("lossboard_session", "x", httponly=True)
    answer.set_cookie("other", "y", path="/deeper")
    return answer


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.url.path)
    await websocket.close()


def app(base_path: str) -> Starlette:
    return Starlette(
        routes=[
            Route("/redirect", redirect),
            WebSocketRoute("/_stcore/stream", socket),
            Route("/{path:path}", seen),
        ],
        middleware=[Middleware(BasePathMiddleware, base_path=base_path)],
    )


@pytest.fixture
def viewer() -> Iterator[TestClient]:
    with TestClient(app(BASE_PATH), follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("prefix", [BASE_PATH, ""])
def test_what_lies_behind_sees_the_path_without_the_base_path(
    viewer: TestClient, prefix: str
) -> None:
    told = viewer.get(f"{prefix}/comparison?id=c1&x=%2F").json()
    assert (told["path"], told["query"]) == ("/comparison", "id=c1&x=%2F")
    assert viewer.get(f"{prefix}/api/v1/runs/a%2Fb").json()["raw"] == "/api/v1/runs/a%2Fb"
    assert viewer.get(f"{prefix}/").json()["path"] == "/"
    with viewer.websocket_connect(f"{prefix}/_stcore/stream") as opened:
        assert opened.receive_text() == "/_stcore/stream"


def test_only_whole_parts_of_a_path_are_taken_off_and_only_once(viewer: TestClient) -> None:
    assert viewer.get("/lossboards/x").json()["path"] == "/lossboards/x"
    assert viewer.get("/lossboard/lossboard/x").json()["path"] == "/lossboard/x"


def test_the_base_path_itself_leads_to_the_one_with_a_slash(viewer: TestClient) -> None:
    answer = viewer.get("/lossboard?tag=a")
    assert (answer.status_code, answer.headers["location"]) == (307, "/lossboard/?tag=a")


@pytest.mark.parametrize("prefix", [BASE_PATH, ""])
@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/signin?next=%2Fqueue", "/lossboard/signin?next=%2Fqueue"),
        ("/", "/lossboard/"),
        ("/lossboard/queue", "/lossboard/queue"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
        ("//elsewhere.example/x", "//elsewhere.example/x"),
        ("../mcp", "../mcp"),
    ],
)
def test_redirects_stay_below_the_base_path(
    viewer: TestClient, prefix: str, target: str, sent: str
) -> None:
    answer = viewer.get(f"{prefix}/redirect", params={"to": target})
    assert answer.headers["location"] == sent


def test_cookies_of_all_paths_are_kept_to_the_base_path(viewer: TestClient) -> None:
    first, second = viewer.get("/redirect?to=/").headers.get_list("set-cookie")
    assert "; Path=/lossboard; " in first
    assert "HttpOnly" in first
    assert "; Path=/deeper; " in second


def test_a_cookie_that_was_set_for_the_whole_address_does_not_replace_ours() -> None:
    # Browsers send the cookie of the longer Path first.
    cookies = {"Cookie": "lossboard_session=ours; b=1; lossboard_session=another"}
    with TestClient(app(BASE_PATH)) as client:
        told = client.get("/lossboard/", headers=cookies).json()["cookies"]
    assert told == {"lossboard_session": "ours", "b": "1"}


def test_without_a_base_path_nothing_changes() -> None:
    with TestClient(app(""), follow_redirects=False) as client:
        assert client.get("/lossboard/x").json()["path"] == "/lossboard/x"
        answer = client.get("/redirect?to=/signin")
    assert answer.headers["location"] == "/signin"
    assert "; Path=/;" in answer.headers["set-cookie"]
