"""An address in a name, a tag or an arm is text on every page: nobody is led to it by a click."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.specs import small
from tests.support.stack import Stack
from tests.support.tiny_sets import npz, table

PLACE = "evil.example"
LINKS = f"a[href*='{PLACE}']"


@pytest.mark.slow
def test_an_address_in_a_name_is_no_link(stack: Stack, page: Page, tmp_path: Path) -> None:
    name = f"https://{PLACE}/?a=b_c and WWW.{PLACE} and me@{PLACE}"
    upload = npz(tmp_path / "a.npz", table())
    page.goto(f"{stack.ui_url}/datasets")
    page.locator("input[type=file]").set_input_files(upload)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_test_id("stBaseButton-primary").click()
    expect(page.locator("strong", has_text=name)).to_be_visible()
    expect(page.locator(LINKS)).to_have_count(0)
    spec = small(name=name, tags=[f"www.{PLACE}"])
    spec["arms"] = [{**spec["arms"][0], "name": f"http://{PLACE}"}]
    comparison = stack.submit(spec)
    stack.wait_ended(comparison)
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(f"http://{PLACE}").first).to_be_visible()
    expect(page.locator(LINKS)).to_have_count(0)
    page.goto(f"{stack.ui_url}/new?from={comparison}")
    expect(page.get_by_label("Name", exact=True).first).to_have_value(name)
    expect(page.locator(LINKS)).to_have_count(0)
