"""The frame of all pages."""

import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from frontend.server.index_page import IndexPageMiddleware

HTML = "text/html,application/xhtml+xml"


async def streamlit(request: Request) -> Response:
    return PlainTextResponse(f"passed on: {request.url.path}")


def opened(path: str, base_path: str = "", accept: str = HTML) -> tuple[str, str]:
    """Open a path; return the answer's text and how long it may be kept."""
    app = Starlette(
        routes=[Route("/{path:path}", streamlit, methods=["GET", "POST"])],
        middleware=[Middleware(IndexPageMiddleware, base_path=base_path)],
    )
    with TestClient(app) as client:
        answer = client.get(path, headers={"Accept": accept})
    return answer.text, answer.headers.get("cache-control", "")


@pytest.mark.parametrize("path", ["/", "/comparison?id=c1", "/nothing-of-ours"])
def test_each_page_gets_streamlits_frame_with_our_script_before_its_scripts(path: str) -> None:
    text, kept = opened(path)
    assert kept == "no-cache"
    assert text.index("BACKEND_BASE_URL") < text.index("static/js/index.")
    assert f'data-base-path="" data-path="{path.partition("?")[0]}"' in text
    assert '<div id="root"></div>' in text


def test_under_a_base_path_the_frames_files_are_found_from_every_page() -> None:
    text, _ = opened("/queue", "/lossboard")
    assert 'data-base-path="/lossboard" data-path="/queue"' in text
    assert 'src="/lossboard/static/js/index.' in text
    assert not re.search(r'(src|href)="\./', text)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/catalogue", "/_stcore/health", "/static/js/x.js", "/signin", "/media/x", "/queue/"],
)
def test_what_is_no_page_is_passed_on(path: str) -> None:
    assert opened(path)[0] == f"passed on: {path}"


def test_a_program_that_asks_for_no_html_is_passed_on() -> None:
    assert opened("/queue", accept="application/json")[0] == "passed on: /queue"


def test_a_path_cannot_end_the_attribute_that_holds_it() -> None:
    text, _ = opened("/x%22%3E%3Cscript%3Ealert(1)%3C/script%3E&quot;'>")
    assert "alert(1)" in text
    assert "<script>alert(1)" not in text
    assert 'data-path="/x%22%3E%3Cscript%3Ealert(1)%3C/script%3E&amp;quot;' in text
