"""A search on the pages, through the whole product: form, tab, live curves of a trial, report."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.specs import small
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

SPEC = small(
    name="tuned on the page",
    training={"epochs": 3, "batch_size": 64},
    arms=[{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")],
    seeds=[0, 1],
    tuning={"trials": 4},
)


def test_a_search_from_the_form_to_the_report(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.ui_url}/new?preset=digits")
    page.get_by_role("button", name="Import a spec").click()
    page.get_by_label("Spec as JSON").fill(json.dumps(SPEC))
    page.get_by_label("Spec as JSON").press("Control+Enter")
    page.get_by_role("button", name="Fill the form").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("2 arms × 4 trials + 2 × 2 seeds = 12 runs")).to_be_visible()
    page.get_by_role("button", name="Start comparison").click()
    page.wait_for_url(re.compile("/comparison.*id="))
    own = page.url.partition("id=")[2][:11]

    expect(page.get_by_text(re.compile(r"of 8 trials")).first).to_be_visible()
    page.get_by_role("tab", name="Tuning").click()
    expect(page.get_by_role("region", name="Value of the budget")).to_be_visible()
    assert {run["state"] for run in stack.wait_ended(own, timeout=150)} == {"succeeded"}

    expect(page.get_by_text("4 of 4").first).to_be_visible()
    expect(page.get_by_text(re.compile("^Best MAP@R on validation data"))).to_be_visible()
    for name in ("Value of the budget", "MAP@R by margin", "Trials across settings: contrastive"):
        page.get_by_role("region", name=name).locator(".main-svg").first.wait_for()
    page.locator(".st-key-tuning_setting_" + own).get_by_text("Learning rate").click()
    expect(page.get_by_role("region", name="MAP@R by learning rate")).to_be_visible()

    [arm, _] = stack.get(f"/comparisons/{own}/tuning")["arms"]
    [run] = arm["trials"][2]["runs"]
    page.goto(f"{stack.ui_url}/comparison?id={own}&tab=live&run={run['id']}")
    expect(page.get_by_text("contrastive, trial 2")).to_be_visible()
    page.get_by_test_id("chart-dynamics.loss").locator(".scatterlayer .trace").first.wait_for()
    expect(page.get_by_test_id("arm-contrastive")).to_be_visible()
    expect(page.get_by_test_id("arm-triplet")).to_have_count(0)
    page.get_by_role("button", name="Back to the search").click()
    expect(page.get_by_role("tab", name="Tuning")).to_have_attribute("aria-selected", "true")
    assert "run=" not in page.url

    page.get_by_role("link", name="New comparison with these settings").click()
    page.wait_for_url(re.compile("/new.*settings=best"))
    expect(page.get_by_text("2 arms × 2 seeds = 4 runs")).to_be_visible()

    page.goto(f"{stack.ui_url}/comparison?id={own}")
    expect(page.get_by_test_id("run-triplet-1")).to_have_attribute("data-state", "succeeded")
    expect(page.get_by_test_id("comparison-state")).to_have_text("succeeded")
