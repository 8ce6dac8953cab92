"""SVGs become PDFs and PNGs: those of our charts, and those that try to do harm."""

import asyncio
import base64
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pypdf import PdfReader

from frontend.pictures import converter
from frontend.pictures.converter import Asked, BusyError, Converter, RefusedError
from frontend.pictures.routes import MAX_BYTES
from frontend.server.sessions import COOKIE, Person
from tests.support.front import Front
from tests.support.ports import free_ports
from tests.support.serving import serving

CHART = Path(__file__).with_name("chart.svg").read_bytes()
SIZE: dict[str, Any] = {"width": 85, "height": 70.5, "dpi": 300, "title": "A & B · Loss"}
POINTS_MM = 72 / 25.4


def svg(content: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{content}</svg>'.encode()


@pytest.fixture(scope="module")
def front() -> Front:
    [port] = free_ports(1)
    return Front(f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def viewer(front: Front) -> Iterator[httpx.Client]:
    with (
        serving(front.app()) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        yield client


def test_a_chart_becomes_a_pdf_of_its_size_with_text_that_can_be_searched(
    viewer: httpx.Client,
) -> None:
    answer = viewer.post("/pictures/pdf", params=SIZE, content=CHART)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert "no-store" in answer.headers["cache-control"]
    reader = PdfReader(io.BytesIO(answer.content))
    [page] = reader.pages
    size = (float(page.mediabox.width), float(page.mediabox.height))
    assert size == pytest.approx((85 * POINTS_MM, 70.5 * POINTS_MM), abs=0.01)
    assert reader.metadata
    assert reader.metadata.title == "A & B · Loss"
    text = page.extract_text()
    for words in ("Loss", "A & B", "Größe α", "b ≤ ∇ ‖x‖", "step of R", "0.5"):
        assert words in text, text
    assert re.search(rb"/FontFile2? \d+ 0 R", answer.content), "the letters are inside"
    assert b"LiberationSans" in answer.content
    assert len(page.images) == 0, "lines stay lines"


def test_a_chart_becomes_a_png_of_its_size_and_density(viewer: httpx.Client) -> None:
    answer = viewer.post("/pictures/png", params=SIZE, content=CHART)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        assert image.size == (round(85 / 25.4 * 300), round(70.5 / 25.4 * 300))
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}
    assert {(0, 114, 178), (213, 94, 0)} <= colours, "both arms are drawn"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "missing root"),
        (b"no picture", "unknown token"),
        (b"\xff\xfe\x00", "decode"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>', "invalid"),
        (svg('<image href="file:///etc/passwd" width="9" height="9"/>'), "absolute paths"),
        (svg('<image href="/etc/passwd" width="9" height="9"/>'), "absolute paths"),
        (svg('<image href="../../etc/passwd" width="9" height="9"/>'), "escape"),
        (svg("<g>" * 20_000 + "</g>" * 20_000), "nodes limit"),
        (
            b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg("<text>&x;</text>"),
            "unknown entity",
        ),
        (
            b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
            b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
            + svg("<text>&d;&d;&d;&d;</text>"),
            "loop",
        ),
    ],
)
def test_what_is_no_picture_or_points_outside_is_refused(
    viewer: httpx.Client, content: bytes, reason: str
) -> None:
    answer = viewer.post("/pictures/pdf", params=SIZE, content=content)
    assert answer.status_code == 422
    body = answer.json()
    assert (body["error"], body["fields"]) == ("invalid_svg", [])
    assert body["message"].startswith("The picture cannot be made: ")
    assert reason in body["message"]


def test_no_address_in_an_svg_is_called(viewer: httpx.Client) -> None:
    called = threading.Event()

    async def listener(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            called.set()

    with serving(listener) as url:
        inner = base64.b64encode(svg(f'<image href="{url}/c" width="9" height="9"/>')).decode()
        for content in (
            f'<image href="{url}/a.png" width="9" height="9"/>',
            f'<style>@import url("{url}/b.css"); @font-face {{font-family: x; src: url({url}/f)}}'
            '</style><text font-family="x" y="5">a</text>',
            f'<use href="{url}/d.svg#a"/>',
            f'<image width="9" height="9" href="data:image/svg+xml;base64,{inner}"/>',
        ):
            viewer.post("/pictures/png", params=SIZE, content=svg(content))
    assert not called.is_set()


def test_all_that_is_wrong_with_a_size_is_said_at_once(viewer: httpx.Client) -> None:
    wrong = {"width": "wide", "height": "nan", "dpi": "9999"}
    answer = viewer.post("/pictures/pdf", params=wrong, content=CHART)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert [field["path"] for field in answer.json()["fields"]] == ["width", "height", "dpi"]
    huge = {"width": 2000, "height": 2000, "dpi": 600}
    answer = viewer.post("/pictures/png", params=huge, content=CHART)
    assert [field["path"] for field in answer.json()["fields"]] == ["dpi"]
    assert viewer.post("/pictures/gif", params=SIZE, content=CHART).status_code == 404


def test_a_picture_that_is_too_large_is_refused(viewer: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(9):
            yield b" " * 2**20

    for content in (b" " * (MAX_BYTES + 1), pieces()):
        answer = viewer.post("/pictures/pdf", params=SIZE, content=content)
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_pages_of_another_address_get_no_picture(viewer: httpx.Client, front: Front) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        answer = viewer.post("/pictures/pdf", params=SIZE, content=CHART, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    session = front.sessions.begin("a token", Person("Vera", "viewer"))
    cookie = {"Cookie": f"{COOKIE}={session}"}
    assert viewer.post("/pictures/pdf", params=SIZE, headers=cookie).status_code == 403
    front.sessions.end(session)


def test_a_picture_takes_limited_time_and_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked("pdf", 85, 70, 300, "Loss")

    blurs = "".join(f'<feGaussianBlur stdDeviation="{1 + at}"/>' for at in range(200))
    heavy = svg(f'<filter id="f">{blurs}</filter><rect width="9" height="9" filter="url(#f)"/>')

    async def slow() -> None:
        large = Asked("png", 2000, 3500, 60, "Loss")
        with pytest.raises(RefusedError, match="too long"):
            await Converter(time_limit_s=0.5).convert(heavy, large)

    asyncio.run(slow())
    monkeypatch.setattr(converter, "MAX_WAITING", 1)

    async def many() -> list[bytes | BaseException]:
        own = Converter()
        both = (own.convert(CHART, asked) for _ in range(2))
        return await asyncio.gather(*both, return_exceptions=True)

    made, refused = asyncio.run(many())
    assert isinstance(made, bytes)
    assert isinstance(refused, BusyError)
