"""A viewer in a real Chromium: the form, the growing curves, the zoom, the table."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.specs import long
from tests.support.stack import Stack
from tests.support.waiting import until

LOSS = "panel-dynamics.loss"
RANGE = "chart => [...chart._fullLayout.xaxis.range, ...chart._fullLayout.yaxis.range]"


def last_step(page: Page, panel: str = LOSS) -> int:
    """Return the last step that a panel has drawn; 0 before the first."""
    return int(page.get_by_test_id(panel).get_attribute("data-last-step") or 0)


def grown(page: Page, beyond: int) -> int:
    """Wait until the loss curve is beyond a step. Returns its last step."""

    def reached() -> int:
        page.wait_for_timeout(20)  # lets the page's events be handled
        step = last_step(page)
        return step if step > beyond else 0

    return until(reached, f"the loss to grow beyond step {beyond}")


def zoom_in(page: Page, chart: Locator) -> list[float]:
    """Zoom into the middle of a chart by dragging. Returns the ranges shown then."""
    before = chart.evaluate(RANGE)
    box = chart.locator(".nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.8, steps=8)
    page.mouse.up()

    def zoomed() -> list[float]:
        page.wait_for_timeout(20)
        now: list[float] = chart.evaluate(RANGE)
        return now if now != before else []

    return until(zoomed, "the chart to zoom", timeout=10)


def test_a_comparison_from_the_form_to_its_table(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.ui_url}/new?preset=digits")
    page.get_by_label("Name", exact=True).first.fill("from the browser")
    page.get_by_label("Seeds", exact=True).fill("0")
    page.get_by_label("Epochs", exact=True).first.fill("12")
    page.get_by_role("button", name="Start comparison").click()

    page.get_by_test_id(LOSS).wait_for()
    first = grown(page, 20)
    assert grown(page, first) > first, "the curves grow by themselves"
    expect(page.get_by_text("from the browser").first).to_be_visible()

    # Zoom survives new points, a new window size, and another page in between does not break it.
    chart = page.get_by_test_id("chart-dynamics.loss")
    zoomed = zoom_in(page, chart)
    grown(page, grown(page, last_step(page)))
    assert chart.evaluate(RANGE) == zoomed

    comparison = page.url.partition("id=")[2].partition("&")[0]
    runs = stack.wait_ended(comparison, timeout=150)
    assert [run["state"] for run in runs] == ["succeeded"] * 2
    expect(page.get_by_test_id("comparison-state")).to_contain_text("succeeded")
    assert chart.evaluate(RANGE) == zoomed
    assert last_step(page) == runs[0]["total_steps"]
    page.get_by_role("tab", name="Retrieval").click()
    expect(page.get_by_text("Recall@1").first).to_be_visible()


def test_the_address_alone_restores_the_view(stack: Stack, page: Page) -> None:
    [comparison] = stack.get("/comparisons", q="from the browser")["comparisons"]
    page.goto(f"{stack.ui_url}/comparison?id={comparison['id']}&x=epoch&seeds=each&smooth=0.6")
    page.get_by_test_id(f"{LOSS}").wait_for()
    grown(page, 0)
    expect(page.get_by_test_id("x-epoch")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("seeds-each")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("smooth")).to_have_value("0.6")
    high = page.get_by_test_id("chart-dynamics.loss").evaluate(RANGE)[1]
    assert high <= 13, "the axis counts epochs"


def test_a_problem_is_shown_at_its_field_and_no_typed_value_is_lost(
    stack: Stack, page: Page
) -> None:
    before = stack.get("/comparisons")["total"]
    page.goto(f"{stack.ui_url}/new?preset=digits")
    name = page.get_by_label("Name", exact=True).first
    name.wait_for()
    # The first draw of a new browser is followed by another, which a hand would not outrun.
    page.locator("[data-test-script-state=notRunning]").wait_for()
    name.fill("kept")
    name.press("Enter")
    seeds = page.get_by_label("Seeds", exact=True).first
    seeds.fill("3, 3")
    seeds.press("Enter")
    page.get_by_role("button", name="Start comparison").click()
    expect(page.get_by_text("twice").first).to_be_visible()
    expect(page.get_by_label("Name", exact=True).first).to_have_value("kept")
    assert stack.get("/comparisons")["total"] == before


@pytest.mark.slow
def test_the_page_goes_on_by_itself_after_the_api_was_killed(stack: Stack, page: Page) -> None:
    comparison = stack.submit(long(training={"epochs": 500, "batch_size": 64}))
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    page.get_by_test_id(LOSS).wait_for()
    before = grown(page, 20)
    connection = page.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-state", "live")
    stack.kill("api")
    expect(connection).not_to_have_attribute("data-state", "live")
    expect(connection).to_have_attribute("data-state", "live")
    assert grown(page, before) > before
    [run] = stack.wait_ended(comparison)
    assert (run["state"], run["attempt"]) == ("succeeded", 1)
    assert grown(page, run["total_steps"] - 1) == run["total_steps"]


@pytest.mark.parametrize("path", ["", "new", "datasets", "comparison?id=c0000000000", "method"])
def test_every_page_opens_without_a_fault(stack: Stack, page: Page, path: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{stack.ui_url}/{path}")
    page.get_by_role("heading").first.wait_for()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert faults == []
