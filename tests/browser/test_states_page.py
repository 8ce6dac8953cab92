"""Runs that do not train, through the whole product: worker, API and page."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.specs import small
from tests.support.stack import Stack


def with_optimizer(name: str, **optimizer: object) -> dict[str, object]:
    loss = {"kind": "triplet", "margin": 0.5, "selection": "batch_hard"}
    return {"name": name, "loss": loss, "training": {"optimizer": optimizer}}


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> str:
    arms = [
        {"name": "healthy", "loss": {"kind": "triplet", "margin": 0.5}},
        with_optimizer("collapsing", kind="adam", lr=0.03),
        with_optimizer("overflowing", kind="adamw", lr=1.0, weight_decay=50),
    ]
    training = {"epochs": 5, "batch_size": 64}
    return stack.submit(small(name="states", training=training, arms=arms))


@pytest.mark.slow
def test_each_run_gets_its_state_and_no_other(stack: Stack, comparison: str) -> None:
    runs = stack.wait_ended(comparison, timeout=150)
    found = {run["arm"]: (run["state"], [one["state"] for one in run["states"]]) for run in runs}
    assert found == {
        "healthy": ("succeeded", []),
        "collapsing": ("succeeded", ["collapsed"]),
        "overflowing": ("failed", ["overflow"]),
    }
    listed = stack.get("/arms", q="states")["arms"]
    states = {arm["arm"]: [one["state"] for one in arm["runs"][0]["states"]] for arm in listed}
    assert states == {arm: own for arm, (_, own) in found.items()}


@pytest.mark.slow
def test_the_page_says_so_on_every_tab_and_names_the_trivial_loss(
    stack: Stack, comparison: str, page: Page
) -> None:
    stack.wait_ended(comparison, timeout=150)
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    banners = page.get_by_test_id("run-states").locator("[data-state]")
    expect(banners).to_have_count(2)
    expect(banners.nth(0)).to_contain_text("⚠ overflow")
    expect(banners.nth(0)).to_contain_text("The weight decay 50 times the learning rate 1 is 50")
    expect(banners.nth(1)).to_contain_text("collapsing, seed 0: The embeddings have collapsed")
    expect(page.get_by_test_id("run-collapsing-0")).to_contain_text("⚠ collapsed")
    expect(page.get_by_test_id("run-healthy-0")).not_to_contain_text("⚠")
    page.get_by_test_id("chart-dynamics.loss").scroll_into_view_if_needed()
    under = page.get_by_test_id("under-loss")
    expect(under).to_contain_text("Trivial loss (all embeddings in one point): 0.5.")
    expect(under).to_contain_text("Share of the loss's weight that pulls: 50 %.")
    expect(page.get_by_test_id("chart-dynamics.loss").locator(".annotation-text")).to_have_text(
        "trivial loss"
    )
    page.get_by_role("tab", name="Verdict").click()
    expect(banners.nth(1)).to_be_visible()
