"""A viewer in a real Chromium: the form, the growing curves, the zoom, the table."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.accessibility import at_rest, violations
from tests.support.browser import new_page
from tests.support.specs import long, small
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
    page.get_by_label("Epochs", exact=True).first.fill("40")
    page.get_by_role("button", name="Start comparison").click()

    page.get_by_test_id(LOSS).wait_for()
    first = grown(page, 20)
    assert grown(page, first) > first, "the curves grow by themselves"
    trainers = stack.processes("trainer")
    for trainer in trainers:
        trainer.suspend()  # or a fast machine is done before the chart is zoomed
    expect(page.get_by_text("from the browser").first).to_be_visible()

    # Zoom survives new points, a new window size, and another page in between does not break it.
    chart = page.get_by_test_id("chart-dynamics.loss")
    zoomed = zoom_in(page, chart)
    for trainer in trainers:
        trainer.resume()
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
    assert high <= 42, "the axis counts epochs"


SWEEP = [f"triplet with a margin of {at / 10} and all triplets of the batch" for at in range(1, 15)]


@pytest.fixture(scope="module")
def sweep(stack: Stack) -> str:
    """A comparison of fourteen arms with long names that was cancelled after the first ones."""
    arms = [
        {"name": name, "loss": {"kind": "triplet", "margin": (at + 1) / 10}}
        for at, name in enumerate(SWEEP)
    ]
    training = {"epochs": 2, "batch_size": 64}
    name = "a sweep of fourteen margins, with a name as long as people give them to their sweeps"
    comparison = stack.submit(small(name=name, arms=arms, training=training))
    until(
        lambda: any(run["state"] == "succeeded" for run in stack.runs(comparison)),
        "a run of the sweep to succeed",
    )
    stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
    stack.wait_ended(comparison)
    return comparison


def opened(stack: Stack, page: Page, comparison: str, more: str = "") -> Locator:
    """Open a comparison and return the chart of its loss, drawn."""
    page.goto(f"{stack.ui_url}/comparison?id={comparison}{more}")
    chart = page.get_by_test_id("chart-dynamics.loss")
    chart.locator(".scatterlayer .trace").first.wait_for(state="attached")
    return chart


@pytest.mark.parametrize("width", [1440, pytest.param(800, marks=pytest.mark.slow)])
def test_the_first_chart_of_fourteen_arms_is_in_the_first_screen(
    stack: Stack, browser: Browser, sweep: str, width: int
) -> None:
    with new_page(browser, width=width, height=900) as page:
        opened(stack, page, sweep)
        plot = page.get_by_test_id(LOSS).locator(".lb-plot")
        plot.locator(".lb-labels span").first.wait_for()
        box = plot.bounding_box()
        assert box
        assert box["y"] > 0
        assert box["y"] + box["height"] <= 900
        expect(page.get_by_test_id("runs")).to_be_hidden()
        page.get_by_test_id("runs-fold").click()
        expect(page.get_by_test_id(f"run-{SWEEP[0]}-0")).to_contain_text("done in")
        page.locator(".lb-head summary").click()
        expect(page.locator(".lb-head dl")).to_contain_text("Optimiser")


def test_panels_are_read_together_widened_pinned_and_zoomed_and_the_address_tells_so(
    stack: Stack, page: Page, sweep: str
) -> None:
    chart = opened(stack, page, sweep)
    panels = [page.get_by_test_id(f"panel-dynamics.{key}") for key in ("loss", "active_ratio")]
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    for panel in panels:
        expect(panel.locator(".lb-axis")).to_have_text(re.compile(r"^step \d+ · smoothed$"))
        expect(panel.locator(".lb-value")).to_have_count(14)
    page.mouse.move(0, 0)
    expect(panels[1].locator(".lb-axis")).to_have_text("step")

    page.get_by_test_id("wide-dynamics.active_ratio").press("Enter")
    page.wait_for_url(re.compile("wide=dynamics.active_ratio"))
    wide, usual = (panel.bounding_box() for panel in (panels[1], panels[0]))
    assert wide
    assert usual
    assert wide["width"] > 2 * usual["width"]
    page.get_by_test_id("wide-dynamics.active_ratio").click()
    pin = page.get_by_test_id("pin-dynamics.active_ratio")
    pin.press("Enter")
    expect(page.get_by_test_id("pinned").get_by_role("region")).to_have_count(1)
    expect(pin).to_be_focused()

    chart.scroll_into_view_if_needed()
    everything = chart.evaluate(RANGE)
    zoomed = zoom_in(page, chart)
    page.wait_for_url(re.compile("zoom=x"))
    shared = page.url
    other = page.get_by_test_id("chart-dynamics.gradient_norm")
    until(
        lambda: other.evaluate(RANGE)[:2] == zoomed[:2], "the range of x in all panels", timeout=5
    )
    page.go_back()
    until(lambda: chart.evaluate(RANGE) == everything, "Back to undo the zoom", timeout=5)
    page.go_forward()
    until(lambda: chart.evaluate(RANGE) != everything, "Forward to zoom again", timeout=5)
    page.get_by_test_id("zoom-out").click()
    until(lambda: chart.evaluate(RANGE) == everything, "the button to show everything", timeout=5)

    page.goto("about:blank")
    page.goto(shared)
    chart.locator(".scatterlayer .trace").first.wait_for(state="attached")
    assert chart.evaluate(RANGE) == pytest.approx(zoomed, rel=0.01)
    expect(page.get_by_test_id("pinned")).to_be_visible()
    page.goto(f"{stack.ui_url}/comparison?id={sweep}&tab=geometry")  # kept by the browser
    expect(page.get_by_test_id("pinned").get_by_role("region")).to_be_visible()


def test_a_problem_is_shown_at_its_field_and_no_typed_value_is_lost(
    stack: Stack, page: Page
) -> None:
    before = stack.get("/comparisons")["total"]
    page.goto(f"{stack.ui_url}/new?preset=digits")
    name = page.get_by_label("Name", exact=True).first

    # The first draw of a new browser is followed by another, which a hand does not outrun: what is
    # typed between both may be lost, and is typed again.
    def typed() -> bool:
        at_rest(page)
        name.fill("kept")
        name.press("Enter")
        at_rest(page)
        return name.input_value() == "kept"

    until(typed, "the name to stay")
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


def test_back_goes_tab_by_tab_with_the_zoom_and_keys_lead_on(stack: Stack, page: Page) -> None:
    notes = "First look.\n\nMargins are **not** tuned."
    comparison = stack.submit(small(name="tab by tab", notes=notes))
    stack.wait_ended(comparison)
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    chart = page.get_by_test_id("chart-dynamics.loss")
    chart.locator(".scatterlayer .trace").first.wait_for()
    expect(page).to_have_title("Live · tab by tab · Lossboard")
    expect(page.get_by_text("Notes: First look.")).to_be_visible()
    zoomed = zoom_in(page, chart)
    for tab in ("Verdict", "Geometry"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_url(f"**tab={tab.lower()}*")
        expect(page).to_have_title(f"{tab} · tab by tab · Lossboard")
    page.go_back()
    expect(page).to_have_title("Verdict · tab by tab · Lossboard")
    expect(page.get_by_role("tab", name="Verdict")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page).to_have_title("Live · tab by tab · Lossboard")
    assert "tab=" not in page.url
    chart.locator(".scatterlayer .trace").first.wait_for()
    assert chart.evaluate(RANGE) == pytest.approx(zoomed, rel=1e-2), "as the address has it"
    at_rest(page)
    assert violations(page) == []

    page.keyboard.press("2")
    expect(page).to_have_title("Geometry · tab by tab · Lossboard")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("n")  # not while the dialog is open
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page).to_have_title("Comparisons · Lossboard")
    search = page.get_by_role("textbox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.type("n?/")
    expect(search).to_have_value("n?/")
    search.blur()
    page.keyboard.press("n")
    expect(page).to_have_title("New comparison · Lossboard")
