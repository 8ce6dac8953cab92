"""The component that draws a chart, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from frontend.charts.figures import apply_layout, band_traces
from frontend.pictures.routes import Pictures
from frontend.server.sessions import Sessions
from frontend.ui.assets import Assets
from frontend.ui.theme import COLORS, arm_style
from tests.support.browser import browser_page
from tests.support.serving import serving

STYLE = arm_style(1)


def figure_json(low: float, high: float) -> str:
    """A figure of one arm over two epochs, with a band around its mean of 1."""
    figure = go.Figure(band_traces([0, 1], [1.0, 1.0], [low] * 2, [high] * 2, STYLE, "arm"))
    return str(apply_layout(figure, x="epoch", y="loss").to_json())


def a_page() -> None:
    import plotly.graph_objects as go  # noqa: PLC0415 - a page of its own

    from frontend.charts import chart  # noqa: PLC0415

    chart.show_chart(go.Figure(), key="one", name="Loss", caption="What it is.", method="losses")


def test_a_page_with_a_chart_runs() -> None:
    at = AppTest.from_function(a_page, default_timeout=90).run()
    assert not at.exception


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page with the component's modules, as Streamlit's page has them."""
    assets = Assets.load()

    async def blank(_request: object) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>chart</title><main></main>")

    app = Starlette(routes=[Route("/", blank), *assets.routes(), Pictures(Sessions()).route()])
    with serving(app) as url, browser_page() as opened:
        opened.goto(url)
        yield opened


def mount(page: Page, *, background: str = "#ffffff", **changes: Any) -> None:
    assets = Assets.load()
    data = {
        "plotly": assets.plotly_url,
        "figure": figure_json(0.5, 1.5),
        "height": 300,
        "name": "Loss",
        "file": "loss",
        "comparison": "My digits",
        "caption": "Mean & band",
        "method": "losses",
        "dark": dict(COLORS),
        **changes,
    }
    page.evaluate(
        """async ({ url, data, background }) => {
          const main = document.querySelector("main");
          main.style.setProperty("--st-background-color", background);
          await (await import(url)).mount(main, data);
        }""",
        {"url": assets.module_url("chart.js"), "data": data, "background": background},
    )
    page.locator("[data-drawn]").wait_for()


def line_colour(page: Page) -> str:
    """The colour that Plotly has drawn the mean in, once it is the theme's."""
    found: str = page.evaluate("document.querySelector('.lb-chart').data[1].line.color")
    return found


@pytest.mark.parametrize(
    ("kind", "begin"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF")]
)
def test_a_chart_is_saved_by_keyboard(page: Page, kind: str, begin: bytes) -> None:
    mount(page, background="#11161c")
    page.get_by_role("button", name="Save “Loss” as a picture").focus()
    page.keyboard.press("Enter")
    form = page.get_by_role("form", name="Save as a picture")
    form.get_by_label(kind.upper()).check()
    form.get_by_label("Column").check()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == f"my-digits-loss.{kind}"
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(begin)
    expect(form).to_be_hidden()
    expect(page.get_by_role("button", name="Save “Loss” as a picture")).to_be_focused()
    if kind == "svg":
        text = content.decode()
        assert 'width="85mm"' in text
        assert all(word in text for word in ("Loss", "My digits", "arm", "epoch", "loss"))
        assert "rgb(213, 94, 0)" in text, "paper is light, whatever the page is"
        assert STYLE.dark not in text
        assert "#11161c" not in text


def test_the_choice_of_format_and_size_is_kept(page: Page) -> None:
    mount(page)
    page.get_by_role("button", name="as a picture").click()
    form = page.get_by_role("form", name="Save as a picture")
    form.get_by_label("PNG").check()
    form.get_by_label("Slide").check()
    with page.expect_download():
        form.get_by_role("button", name="Save").click()
    page.reload()
    mount(page)
    page.get_by_role("button", name="as a picture").click()
    expect(form.get_by_label("PNG")).to_be_checked()
    expect(form.get_by_label("Slide")).to_be_checked()
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()


def test_a_chart_has_a_caption_and_a_link_to_its_method(page: Page) -> None:
    mount(page)
    assert page.get_by_role("img", name="Loss. Mean & band").is_visible()
    help_mark = page.get_by_role("link", name="Loss: how it is measured")
    assert help_mark.get_attribute("href") == "/method#losses"
    mount(page, method="")
    assert page.get_by_role("link").count() == 0


def test_the_arms_colours_follow_the_theme(page: Page) -> None:
    for background, colour in (("#11161c", STYLE.dark), ("#ffffff", STYLE.light)):
        mount(page, background=background)
        page.wait_for_function(
            "colour => document.querySelector('.lb-chart').data[1].line.color === colour",
            arg=colour,
        )
        assert line_colour(page) == colour


def test_zoom_outlives_new_values(page: Page) -> None:
    mount(page)
    chart = "document.querySelector('.lb-chart')"
    page.evaluate(f"window.Plotly.relayout({chart}, {{'xaxis.range': [0.2, 0.4]}})")
    mount(page, figure=figure_json(0.1, 1.9))
    page.wait_for_function(f"{chart}.data[0].y[0] === 1.9")
    assert page.evaluate(f"{chart}.layout.xaxis.range") == [0.2, 0.4]


def test_equal_figures_are_equal_data() -> None:
    assert json.loads(figure_json(0.0, 2.0)) == json.loads(figure_json(0.0, 2.0))
