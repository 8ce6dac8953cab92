"""A team in a real Chromium: a name, tags, notes, more seeds, the queue, the archive."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import WAIT_MS, new_page
from tests.support.specs import endless, small
from tests.support.stack import Json, Stack
from tests.support.waiting import until


def press(within: Locator, key: str, name: str) -> None:
    """Press the button with a key."""
    within.locator(f".st-key-{key}").get_by_role("button", name=name).click()


def queue(stack: Stack) -> list[tuple[str, int]]:
    return [(row["comparison"], row["seed"]) for row in stack.get("/queue")["waiting"]]


def comparison(stack: Stack, own: str) -> Json:
    return stack.get(f"/comparisons/{own}")


def choose(page: Page, option: str) -> Locator:
    """Choose from the menu of a comparison. Returns the dialog that opens."""
    page.get_by_role("button", name="More", exact=False).last.click()
    page.get_by_role("menuitem", name=re.compile(f"{option}$")).click()
    return page.get_by_role("dialog")


@pytest.mark.slow
def test_a_name_tags_notes_more_seeds_the_archive_and_the_end(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.ui_url}/new?preset=digits")
    page.get_by_role("button", name="Your name").click()
    page.get_by_role("textbox", name="Your name").fill("Ada Löwe")
    page.get_by_role("textbox", name="Your name").press("Enter")
    expect(page.get_by_role("button", name="Ada Löwe")).to_be_visible()
    page.keyboard.press("Escape")
    until(lambda: any(one["name"] == "lossboard_user" for one in page.context.cookies()), "it kept")
    page.reload()
    expect(page.get_by_role("button", name="Ada Löwe")).to_be_visible()
    page.get_by_role("button", name="Start comparison").click()
    page.wait_for_url(re.compile("id=c"))
    own = page.url.partition("id=")[2].partition("&")[0]
    assert comparison(stack, own)["created_by"] == "Ada Löwe"
    page.get_by_text("Set-up", exact=True).click()
    expect(page.get_by_text("by Ada Löwe")).to_be_visible()

    page.get_by_role("button", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("renamed together")
    dialog.get_by_role("combobox", name="Tags").fill("week 47")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # closes the list, which hides all else from readers
    dialog.get_by_role("textbox", name="Notes in Markdown").fill("**kept** <u>raw</u>")
    dialog.get_by_role("tab", name="Preview").click()
    expect(dialog.locator("strong", has_text="kept")).to_be_visible()
    expect(dialog.locator("u")).to_have_count(0)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="renamed together")).to_be_visible()
    found = comparison(stack, own)
    assert found["notes"] == "**kept** <u>raw</u>"
    assert "week 47" in found["tags"]

    seeds = found["seeds"]
    dialog = choose(page, "More seeds")
    dialog.get_by_role("textbox", name="Seeds to add").fill("77")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Queue them").click()
    until(lambda: comparison(stack, own)["seeds"] == [*seeds, 77], "the new seed")
    page.get_by_test_id("runs-fold").click()  # more than six are folded
    expect(page.get_by_test_id("run-contrastive-77")).to_be_visible()

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_test_id("copy-link").click()
    expect(page.get_by_test_id("copy-link")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url

    page.get_by_role("button", name="More", exact=False).last.click()
    page.get_by_role("menuitem", name=re.compile("Archive$")).click()
    until(lambda: comparison(stack, own)["archived"], "the archive")
    assert own not in [one["id"] for one in stack.get("/comparisons")["comparisons"]]

    dialog = choose(page, "Delete")
    expect(dialog.get_by_text("measured points")).to_be_visible()
    expect(dialog.get_by_text("runs", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_role("heading", name="Comparisons")).to_be_visible()
    assert stack.http.get(f"/comparisons/{own}").status_code == 404


@pytest.mark.slow
def test_the_queue_is_put_in_another_order_and_ended(stack: Stack, page: Page) -> None:
    alone = [{"name": "triplet", "loss": {"kind": "triplet", "selection": "batch_hard"}}]
    first = stack.submit(endless(seeds=[0, 1, 2], arms=alone))  # not trained together
    second = stack.submit(small(name="urgent", seeds=[0, 1]))
    until(lambda: comparison(stack, first)["state"] == "running", "the first run")
    page.goto(f"{stack.ui_url}/queue")
    workers = page.locator(".st-key-queue-workers")
    waiting = page.locator(".st-key-queue-waiting")
    expect(workers.get_by_text("endless")).to_be_visible()
    expect(workers.get_by_role("progressbar")).to_be_visible()
    expect(waiting.locator(".lb-waits")).to_have_count(4)
    assert queue(stack) == [(first, 1), (first, 2), (second, 0), (second, 1)]

    # Pressed by the runs they are of: which stands where changes with every press.
    _, last, sooner, later = [one["run"] for one in stack.get("/queue")["waiting"]]
    press(waiting, f"queue_first_{later}", "Move to front")
    until(lambda: queue(stack)[0] == (second, 1), "the run at the front")
    expect(waiting.get_by_role("link").first).to_contain_text("urgent")
    press(waiting, f"queue_front_{sooner}", "Move all to front")
    until(lambda: queue(stack)[:2] == [(second, 0), (second, 1)], "the comparison at the front")
    expect(waiting.locator(".lb-waits").first).to_contain_text("seed 0")
    press(waiting, f"queue_drop_{last}", "Cancel")
    until(lambda: stack.get(f"/runs/{last}")["state"] == "cancelled", "the last run's end")

    for own in (first, second):
        stack.http.post(f"/comparisons/{own}/cancel")
        stack.wait_ended(own)
    expect(waiting.get_by_text("No runs waiting, 1 slot idle")).to_be_visible()
    expect(workers.get_by_text("idle")).to_be_visible()


@pytest.mark.parametrize("width", [pytest.param(1440, marks=pytest.mark.slow), 800])
@pytest.mark.parametrize("path", ["", "queue"])
def test_nothing_is_outside_the_page_or_on_its_bar(
    stack: Stack, browser: Browser, width: int, path: str
) -> None:
    with new_page(browser, width=width) as page:
        page.goto(f"{stack.ui_url}/{path}")
        who = page.get_by_role("button", name="Your name")
        who.wait_for()
        box = who.bounding_box()
        assert box
        assert box["x"] + box["width"] <= width
        for link in page.get_by_test_id("stTopNavLink").all():
            other = link.bounding_box()
            assert other
            apart = box["x"] >= other["x"] + other["width"] or box["y"] >= other["y"] + 20
            assert apart, link.text_content()
        keys = page.get_by_role("button", name="Keyboard shortcuts").bounding_box()
        assert keys
        assert box["x"] + box["width"] <= keys["x"] < keys["x"] + keys["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


RECORD_NOTICES = """
    window.told = [];
    window.away = false;
    Object.defineProperty(document, "hidden", { get: () => window.away });
    const real = window.Notification;
    window.Notification = class extends real {
      constructor(title, options) { super(title, options); window.told.push(options.body); }
    };
"""
CHANGE_SIGHT = """(away) => {
    window.away = away;
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def two_tabs(browser: Browser, stack: Stack) -> Iterator[tuple[Page, Page]]:
    """Two tabs of one browser, which may show notices."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT_MS)
    context.grant_permissions(["notifications"], origin=stack.ui_url)
    context.add_init_script(RECORD_NOTICES)
    yield context.new_page(), context.new_page()
    context.close()


def waiting_for_ever(stack: Stack, name: str) -> str:
    """Submit a comparison that no slot of this stack takes: a cancel ends it at once."""
    training = {"epochs": 1, "batch_size": 64, "device": "cuda"}
    return stack.submit(small(training=training, name=name))


def test_a_browser_is_told_once_however_many_tabs_it_has(
    stack: Stack, two_tabs: tuple[Page, Page]
) -> None:
    page, second = two_tabs
    own, other = (waiting_for_ever(stack, f"told {name}") for name in ("here", "away"))
    page.goto(f"{stack.ui_url}/comparison?id={own}")
    dialog = choose(page, "Alerts")
    dialog.get_by_role("button", name="Notify me in this browser").click()
    expect(dialog.get_by_role("button", name="Notices are on")).to_be_visible()
    second.goto(f"{stack.ui_url}/alerts")
    expect(second.get_by_role("button", name="Notify me in this browser")).to_be_visible()
    second.evaluate(CHANGE_SIGHT, True)
    page.wait_for_function("JSON.parse(localStorage['lossboard-notices:'] ?? '{}').after >= 0")
    for comparison in (other, own):
        stack.http.post(f"/comparisons/{comparison}/cancel")
    page.evaluate(CHANGE_SIGHT, False)  # looks at once
    page.wait_for_function("window.told.length")
    expect(second).to_have_title(re.compile("^● "))
    last = stack.get("/alerts")["last"]
    page.wait_for_function(f"JSON.parse(localStorage['lossboard-notices:']).after >= {last}")
    [told] = page.evaluate("window.told")
    assert told.startswith("“told here” has ended: ")
    assert second.evaluate("window.told") == []
    second.evaluate(CHANGE_SIGHT, False)
    expect(second).to_have_title(re.compile("^[^●]"))

    # Where the tab that asked is closed, another one goes on; what was told is not told again.
    page.close()
    stack.http.post(f"/comparisons/{own}/retry")
    stack.http.post(f"/comparisons/{own}/cancel")
    second.evaluate(CHANGE_SIGHT, False)
    second.wait_for_function("window.told.length")
    assert len(second.evaluate("window.told")) == 1
