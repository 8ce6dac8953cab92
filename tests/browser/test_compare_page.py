"""Arms of two comparisons, chosen in the table, in a real Chromium: seen, linked, downloaded."""

import csv
import re
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.specs import small
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

HEADER, ROW, MARK = 35, 35, 20
"""Pixels: height of the table's head and of a row, and the x position of a row's mark."""
TABLE = "[data-testid=stDataFrame]"
FADE = "(table => getComputedStyle(table).maskSize)"


@pytest.fixture(scope="module")
def arms(stack: Stack) -> list[str]:
    """Two finished comparisons of two arms x two seeds; their arms as the list has them."""
    losses = [
        {"name": "pull", "loss": {"kind": "contrastive"}},
        {"name": "rank", "loss": {"kind": "triplet", "margin": 0.2}},
    ]
    for name in ("to compare 1", "to compare 2"):
        made = stack.submit(small(name=name, arms=losses, seeds=[0, 1], tags=["side by side"]))
        stack.wait_ended(made, timeout=150)
    found = stack.get("/arms", tag="side by side")["arms"]
    return [f"{arm['comparison']}~{arm['arm']}" for arm in found]


def mark(page: Page, row: int) -> None:
    """Click a row's mark. The table is drawn on a canvas, so the mark has no element."""
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": MARK, "y": HEADER + ROW * row + ROW // 2})


def drawn(page: Page, key: str) -> Locator:
    """Wait until a chart is drawn and return it."""
    chart = page.locator(f".st-key-chart-{key} [data-drawn]")
    chart.wait_for()
    return chart


def traces(page: Page, key: str) -> list[dict[str, Any]]:
    """Return the lines of a chart, without bands."""
    shown: list[dict[str, Any]] = drawn(page, key).evaluate(
        "chart => chart.data.filter(one => !one.fill)"
        ".map(one => ({name: one.name, text: one.text ?? [], points: one.x.length}))"
    )
    return shown


def test_from_the_table_to_the_curves_and_back_by_the_address(
    stack: Stack, page: Page, arms: list[str]
) -> None:
    assert len(arms) == 4
    page.goto(f"{stack.ui_url}/compare?tag=side+by+side")
    expect(page.get_by_text("Choose two arms or more")).to_be_visible()
    mark(page, 0)
    expect(page.get_by_text("Chosen: 1")).to_be_visible()
    mark(page, 3)
    expect(page.get_by_text("Chosen: 2")).to_be_visible()
    assert [trace["name"] for trace in traces(page, "compare")] == [
        "to compare 2: pull",
        "to compare 1: rank",
    ]
    assert page.url.count("arm=") == 2
    expect(page.get_by_role("columnheader", name="Loss: margin")).to_be_visible()
    expect(page.get_by_role("rowheader", name="to compare 1: rank").first).to_be_visible()

    # Every seed a line, and the address keeps it for whoever opens the link.
    page.get_by_text("single seeds").click()
    page.wait_for_url("**lines=seeds**")
    address = page.url
    browser = page.context.browser
    assert browser
    other = browser.new_page(viewport={"width": 800, "height": 900}, color_scheme="dark")
    other.goto(address)
    assert [trace["name"] for trace in traces(other, "compare")] == [
        "to compare 2: pull",
        "to compare 2: pull",
        "to compare 1: rank",
        "to compare 1: rank",
    ]
    expect(other.get_by_text("One line per seed")).to_be_visible()
    assert other.evaluate("document.documentElement.scrollWidth") <= 800
    other.close()

    # Taken out where it was chosen, and where the chosen ones stand.
    mark(page, 0)
    expect(page.get_by_text("Chosen: 1")).to_be_visible()
    expect(page.get_by_text("Choose two arms or more")).to_be_visible()
    page.get_by_label("Remove rank").click()
    expect(page.get_by_text("Chosen: ")).to_have_count(0)
    assert "arm=" not in page.url


def test_the_points_of_all_runs_and_their_file(stack: Stack, page: Page, arms: list[str]) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    chosen = "&".join(f"arm={arm}" for arm in arms)
    page.goto(f"{stack.ui_url}/compare?{chosen}&arm=c0~gone&each=run&sx=loss.margin&slogx=1")
    expect(page.get_by_text("c0~gone")).to_be_visible()
    dots = traces(page, "scatter")
    assert [trace["points"] for trace in dots] == [4, 4]
    assert "to compare 1: rank, seed 1" in dots[1]["text"]
    page.get_by_role("button", name="Points as CSV").scroll_into_view_if_needed()
    with page.expect_download() as loading:
        page.get_by_role("button", name="Points as CSV").click()
    with loading.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["loss.margin"] for row in rows} == {"0.2", "1.0"}
    assert sorted(row["seed"] for row in rows) == ["0"] * 4 + ["1"] * 4
    assert faults == []


def test_rows_of_the_board_lead_to_their_arms_side_by_side(
    stack: Stack, page: Page, arms: list[str]
) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto(f"{stack.ui_url}/?q=to compare&sort=name")
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    # It goes on to the right, and fades out there until it is scrolled to its end.
    assert table.evaluate(FADE) == "100% 100%"
    table.evaluate("one => one.querySelector('.dvn-scroller').scrollTo(9999, 0)")
    page.wait_for_function(f"{FADE}(document.querySelector('{TABLE}')) !== '100% 100%'")
    mark(page, 0)
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    mark(page, 1)
    expect(page.get_by_text("2 comparisons", exact=True)).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url("**/compare?arm=*")
    assert set(arms) <= set(re.findall(r"arm=([^&]+)", unquote(page.url)))
    expect(page).to_have_title("Compare · Lossboard")
