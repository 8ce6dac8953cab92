"""Exports of a comparison: downloads from the page, and a report that opens without a network."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, ViewportSize, expect
from pypdf import PdfReader

from tests.support.specs import small
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

ARMS = [
    {"name": "pull", "loss": {"kind": "contrastive"}},
    {"name": "rank", "loss": {"kind": "triplet"}},
]


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> str:
    made = stack.submit(small(name="to take along", arms=ARMS, seeds=[0, 1, 2]))
    runs = stack.wait_ended(made, timeout=150)
    assert [run["state"] for run in runs] == ["succeeded"] * 6
    return made


def downloaded(page: Page, role: Any, name: str) -> Path:
    """Click a download. Returns the file under the name that the browser would give it."""
    with page.expect_download() as download:
        page.get_by_role(role, name=name).click()
    found = Path(download.value.path())
    return found.rename(found.with_name(download.value.suggested_filename))


def test_the_report_of_the_page_opens_offline_and_draws_its_figures(
    stack: Stack, comparison: str, page: Page
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    page.get_by_role("button", name="Export").click()
    spec = json.loads(downloaded(page, "link", "Spec, JSON").read_text())
    assert spec == stack.get(f"/comparisons/{comparison}")["spec"]
    table = downloaded(page, "link", "Results, CSV")
    assert table.name == "to-take-along-results.csv"
    assert table.read_text().startswith("arm,seed,metric,step,value,censored,state")
    report = downloaded(page, "button", "HTML report")
    assert report.name == "to-take-along.html"

    faults: list[str] = []
    asked: list[str] = []
    browser = page.context.browser
    assert browser
    viewport: ViewportSize = {"width": 800, "height": 900}
    with browser.new_context(viewport=viewport, color_scheme="dark", offline=True) as context:
        reader = context.new_page()
        reader.on("pageerror", lambda error: faults.append(str(error)))
        reader.on(
            "console", lambda said: faults.append(said.text) if said.type == "error" else None
        )
        reader.on("request", lambda request: asked.append(request.url))
        reader.goto(report.as_uri())
        reader.locator("html[data-drawn]").wait_for()
        figures = reader.locator("[data-key]:has(.chart)")
        assert figures.count() >= 10
        for figure in figures.all():
            # Of each of two arms: its curve and its band, in the chart of the loss its trivial loss
            # too; on a leaderboard mean, interval and seeds.
            key = str(figure.get_attribute("data-key"))
            three = key == "dynamics.loss" or key.startswith("leaderboard.")
            expect(figure.locator(".scatterlayer .trace")).to_have_count(6 if three else 4)
        expect(reader.locator("[data-claim]")).to_have_count(9)
        wide = reader.evaluate("document.documentElement.scrollWidth")
        assert wide <= 800, "nothing sticks out"
        assert reader.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(17, 22, 28)"
        )
        with reader.expect_download() as saved:
            reader.locator("[data-key='dynamics.loss'] [data-save]").click()
            reader.locator("[data-key='dynamics.loss'] form").get_by_role("button").click()
        assert Path(saved.value.path()).read_text().startswith("<svg")
        assert saved.value.suggested_filename == "to-take-along-loss.svg"
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []


def saved(page: Page, button: Locator, kind: str, size: str) -> Path:
    """Save a picture. Returns the file under the name that the browser would give it."""
    button.click()
    form = page.locator("form.lb-save:popover-open")
    form.get_by_label(kind.upper()).check()
    form.get_by_label(size).check()
    with page.expect_download() as download:
        form.get_by_role("button", name="Save").click()
    found = Path(download.value.path())
    return found.rename(found.with_name(f"{size}-{download.value.suggested_filename}"))


def test_a_live_panel_is_saved_with_its_title_and_arms(
    stack: Stack, comparison: str, page: Page
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    panel = page.get_by_test_id("panel-dynamics.loss")
    panel.locator(".trace").first.wait_for(state="attached")
    button = panel.get_by_role("button", name="Save “Loss” as a picture")
    drawing = saved(page, button, "svg", "Column").read_text()
    words = ("Loss", "to take along", "pull", "rank", "step")
    assert all(word in drawing for word in words)
    pdf = saved(page, button, "pdf", "Page")
    assert pdf.name == "Page-to-take-along-loss.pdf"
    width = float(PdfReader(pdf).pages[0].mediabox.width)
    assert width == pytest.approx(175 / 25.4 * 72, abs=0.01)
    assert saved(page, button, "png", "Slide").read_bytes().startswith(b"\x89PNG")


TABS = {
    "space": (".lb-sp-tools [data-save]", r"embedding-space-epoch-\d+", ["pull", "rank", "PCA"]),
    "verdict": (".lb-figure [data-save]", "verdict", ["pull", "rank", "95 % interval", "1."]),
    "leaderboard": (".lb-figure [data-save]", "leaderboard-[a-z0-9-]+", ["pull", "rank", "(test)"]),
}


@pytest.mark.parametrize("tab", TABS)
def test_panels_forest_plot_and_leaderboard_are_saved_in_each_format(
    stack: Stack, comparison: str, page: Page, tab: str
) -> None:
    place, name, words = TABS[tab]
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab={tab}")
    if tab == "space":
        expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")
    if tab == "leaderboard":
        page.locator("[data-drawn]").first.wait_for()
    button = page.locator(place).first
    drawing = saved(page, button, "svg", "Column")
    assert re.fullmatch(f"Column-to-take-along-{name}.svg", drawing.name)
    assert all(word in drawing.read_text() for word in (*words, "to take along"))
    [found] = PdfReader(saved(page, button, "pdf", "Slide")).pages
    size = (float(found.mediabox.width), float(found.mediabox.height))
    assert size == pytest.approx((254 / 25.4 * 72, 142.875 / 25.4 * 72), abs=0.05)
    text = found.extract_text().replace("\n", " ")
    assert all(word in text for word in (*words, "to take along")), text
    with Image.open(saved(page, button, "png", "Page")) as image:
        assert image.width == round(175 / 25.4 * 300)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
