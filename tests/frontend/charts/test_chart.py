"""The helper that draws the pages' charts: its figures, and its component in a real browser."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from frontend.charts import chart as charts
from frontend.charts.chart import file_name
from frontend.ui.assets import Assets
from frontend.ui.theme import COLORS, arm_style
from tests.support.browser import browser_page
from tests.support.serving import serving

STYLE = arm_style(1)


def drawn(low: list[Any], high: list[Any], *, log_y: bool = False) -> go.Figure:
    mean = [1.0] * len(low)
    figure = go.Figure(charts.band(range(len(low)), mean, low, high, STYLE, "arm"))
    return charts.layout(figure, x="epoch", y="loss", log_y=log_y)


def test_a_band_is_an_outline_and_a_line_under_one_entry_of_the_legend() -> None:
    area, line = charts.band([0, 1, 2], [1, 2, 3], [0, 1, 2], [2, 3, 4], STYLE, "arm")
    assert list(area.x) == [0, 1, 2, 2, 1, 0]
    assert list(area.y) == [2, 3, 4, 2, 1, 0]
    assert (area.fillcolor, line.line.color) == (f"{STYLE.light}29", STYLE.light)
    assert line.line.dash == STYLE.dash, "not by colour alone"
    assert (area.showlegend, area.legendgroup) == (False, line.legendgroup)


def test_a_band_has_gaps_where_there_is_no_interval() -> None:
    ends = [0.0, 1.0, None, 3.0, None, 5.0, 6.0]
    area, line = charts.band(range(7), ends, ends, ends, STYLE, "arm")
    assert list(area.x) == [0, 1, 1, 0, None, 5, 6, 6, 5], "a lone interval has no area"
    assert list(line.customdata)[2] == ""
    assert list(line.customdata)[5] == " (5 … 5)"


def test_one_seed_has_a_line_and_no_band() -> None:
    area, line = charts.band([0, 1], [1, 2], [None, None], [None, None], STYLE, "arm")
    assert (len(area.x), list(line.y)) == (0, [1, 2])


def test_few_points_are_marked_and_many_are_not() -> None:
    few, many = (
        charts.band(range(n), [0] * n, [0] * n, [0] * n, STYLE, "arm")[1].mode for n in (40, 41)
    )
    assert (few, many) == ("lines+markers", "lines")


@pytest.mark.parametrize("name", ["<b>x</b>", "a & b", "%{y}", "plain"])
def test_a_name_is_no_markup_and_no_template(name: str) -> None:
    _, line = charts.band([0], [1], [0], [2], STYLE, name)
    assert "<b>" not in line.name
    assert "%{y}" not in line.name
    assert line.hovertemplate.endswith(f"<extra>{charts.plain(name)}</extra>")


def test_a_wide_band_does_not_flatten_the_lines() -> None:
    options = drawn([-9.0] * 3, [11.0] * 3).layout.yaxis.autorangeoptions
    assert options.clipmax < 2
    assert options.clipmin > -1


def test_bars_keep_their_axis() -> None:
    figure = charts.layout(go.Figure(go.Bar(x=["a"], y=[0.9])), x="", y="")
    assert figure.layout.yaxis.autorangeoptions.clipmin is None


def test_a_logarithmic_axis_has_plain_ticks_and_bands_that_end_above_0() -> None:
    figure = drawn([-9.0] * 3, [11.0] * 3, log_y=True)
    assert figure.layout.yaxis.type == "log"
    assert {"0.5", "1", "2"} <= set(figure.layout.yaxis.ticktext)
    assert min(figure.data[0].y) == 0.5


def test_nothing_above_0_keeps_a_linear_axis() -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0.0, None]))
    assert charts.layout(figure, x="", y="", log_y=True).layout.yaxis.type is None


def test_an_extent_leaves_out_bands_and_what_is_not_finite() -> None:
    figure = drawn([-5.0], [5.0])
    figure.add_scatter(x=[0, 1, 2], y=np.array([np.nan, 3.0, -2.0], dtype=np.float32))
    shown = charts.extent(figure)
    assert shown == charts.Extent(-2.0, 3.0, 1.0)
    assert charts.extent(go.Figure()) is None
    flat = charts.extent(go.Figure(go.Scatter(y=[0])))
    assert flat is not None
    assert math.isinf(flat.smallest)


@pytest.mark.parametrize(
    ("name", "file"),
    [("Recall@1 (test)", "recall-1-test"), ("../../x", "x"), ("…", "chart"), ("AMI", "ami")],
)
def test_a_charts_name_is_a_files(name: str, file: str) -> None:
    assert file_name(name) == file


def a_page() -> None:
    import plotly.graph_objects as go  # noqa: PLC0415 - a page of its own

    from frontend.charts import chart as charts  # noqa: PLC0415

    charts.show(go.Figure(), key="one", name="Loss", caption="What it is.", method="losses")


def test_a_page_with_a_chart_runs() -> None:
    at = AppTest.from_function(a_page, default_timeout=90).run()
    assert not at.exception


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page with the component's modules, as Streamlit's page has them."""
    assets = Assets.load()

    async def blank(_request: object) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>chart</title><main></main>")

    app = Starlette(routes=[Route("/", blank), *assets.routes()])
    with serving(app) as url, browser_page() as opened:
        opened.goto(url)
        yield opened


def mount(page: Page, *, background: str = "#ffffff", **changes: Any) -> None:
    assets = Assets.load()
    data = {
        "plotly": assets.plotly_url,
        "figure": drawn([0.5, 0.6], [1.5, 1.4]).to_json(),
        "height": 300,
        "name": "Loss",
        "file": "loss",
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


@pytest.mark.parametrize(("kind", "begin"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_a_chart_is_saved_by_keyboard(page: Page, kind: str, begin: bytes) -> None:
    mount(page)
    button = page.get_by_role("button", name=f"as {kind.upper()}")
    button.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == f"loss.{kind}"
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(begin)
    if kind == "svg":
        text = content.decode()
        assert all(word in text for word in ("Loss", "arm", "epoch")), "it can stand alone"


def test_a_chart_says_what_it_shows_and_leads_to_its_method(page: Page) -> None:
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
    mount(page, figure=drawn([0.1, 0.2], [1.9, 1.8]).to_json())
    page.wait_for_function(f"{chart}.data[0].y[0] === 1.9")
    assert page.evaluate(f"{chart}.layout.xaxis.range") == [0.2, 0.4]


def test_equal_figures_are_equal_data() -> None:
    assert json.loads(drawn([0.0], [2.0]).to_json()) == json.loads(drawn([0.0], [2.0]).to_json())
