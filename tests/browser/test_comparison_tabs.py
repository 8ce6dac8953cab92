"""The tabs of a finished comparison, in a real Chromium, with the results of real runs."""

import re

import pytest
from playwright.sync_api import Page, expect

from frontend.comparison.tabs.sections import TITLES
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

LOSS = "chart-dynamics.loss"
MEAN = """(chart, name) => chart.data
    .filter((trace) => trace.name === name && trace.visible !== false)
    .flatMap((trace) => [...trace.y])"""


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> str:
    """Two arms, three seeds, fine labels: all nine claims can be judged."""
    made = stack.submit(
        {
            "name": "tabs",
            "notes": "margins are **not** tuned",
            "data": {"kind": "synthetic", "classes": 5, "per_class": 80, "dim": 16},
            "encoder": {"kind": "mlp", "hidden": 32, "layers": 1, "embedding_dim": 8},
            "training": {"epochs": 4, "batch_size": 60},
            "measure": {"snapshot_every": 2, "snapshot_size": 60},
            "arms": [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")],
            "seeds": [0, 1, 2],
        }
    )
    assert {run["state"] for run in stack.wait_ended(made, timeout=150)} == {"succeeded"}
    return made


def test_every_tab_shows_its_part_and_the_address_keeps_it(
    stack: Stack, page: Page, comparison: str
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    page.get_by_test_id(LOSS).locator(".scatterlayer").first.wait_for()
    tabs = page.get_by_role("tab")
    titles = [title for title in TITLES.values() if title != "Tuning"]  # it is not tuned
    expect(tabs).to_have_text(titles)

    tabs.filter(has_text="Geometry").click()
    expect(page.get_by_test_id("panel-geometry.intra_class_variance")).to_be_visible()
    expect(page.get_by_test_id("panel-dynamics.loss")).to_be_hidden()
    for chart in ("Intra-class variance by class", "Distances of positive and negative pairs"):
        section = page.get_by_role("region", name=chart)
        section.locator(".main-svg").first.wait_for()
        expect(section.get_by_role("link", name="how it is measured")).to_have_attribute(
            "href", re.compile("^/method#(geometry|embedding-space)$")
        )
    assert "tab=geometry" in page.url

    tabs.filter(has_text="Retrieval").click()
    expect(page.get_by_test_id("panel-retrieval.recall_at_1")).to_be_visible()
    page.get_by_role("region", name="Accuracy by class").locator(".main-svg").first.wait_for()

    tabs.filter(has_text="Leaderboard").click()
    ranks = page.get_by_role("region", name="Leaderboard, MAP@R (test)")
    ranks.locator(".main-svg").first.wait_for()
    choice = page.locator(".st-key-leaderboard_metric")
    choice.get_by_text("Detail retention", exact=True).click()
    expect(page.get_by_role("region", name="Leaderboard, Detail retention (test)")).to_be_visible()
    page.wait_for_url(re.compile("metric=test.detail.recall_at_1"))

    tabs.filter(has_text="Verdict").click()
    expect(page.locator("[data-claim]")).to_have_count(9)
    expect(page.locator(".lb-advice")).to_contain_text("Caution: only 3 seeds")

    tabs.filter(has_text="Set-up").click()
    expect(page.locator(".st-key-settings-of-arms table")).to_contain_text("Margin")
    expect(page.get_by_text("Runs and their logs")).to_be_visible()

    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=verdict")
    expect(page.get_by_role("tab", name="Verdict")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-claim='9']")).to_be_visible()


def test_hiding_an_arm_changes_no_other_ones_mean_and_seeds_come_on_demand(
    stack: Stack, page: Page, comparison: str
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&smooth=0")
    chart = page.get_by_test_id(LOSS)
    chart.locator(".scatterlayer .trace").first.wait_for()
    before = chart.evaluate(MEAN, "triplet")
    assert len(before) > 10
    page.get_by_test_id("arm-contrastive").click()
    expect(page.get_by_test_id("arm-contrastive")).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(
        "id => !document.querySelector(`[data-testid='${id}']`).data"
        ".some((trace) => trace.name === 'contrastive' && trace.visible !== false)",
        arg=LOSS,
    )
    assert chart.evaluate(MEAN, "triplet") == before
    page.get_by_test_id("seeds-each").click()
    page.wait_for_function(
        "([id, points]) => document.querySelector(`[data-testid='${id}']`).data"
        ".filter((trace) => trace.visible !== false).length >= 3",
        arg=[LOSS, len(before)],
    )


def test_a_card_opens_by_the_keyboard_and_tells_all_its_figures(
    stack: Stack, page: Page, comparison: str
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=verdict")
    card = page.locator("[data-claim='8']")
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card.locator("table")).to_be_visible()
    expect(card).to_contain_text("secondary source")
    expect(card.get_by_role("img")).to_have_count(2)
    expect(card.locator(".lb-seed")).to_have_count(2 * 3)


def test_a_help_mark_opens_the_metrics_definition(
    stack: Stack, page: Page, comparison: str
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    panel = page.get_by_test_id("panel-dynamics.loss")
    with page.context.expect_page() as opened:
        panel.get_by_role("link", name="how it is defined").click()
    expect(opened.value.get_by_text("dynamics.loss", exact=True).first).to_be_visible()
