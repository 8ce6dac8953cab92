"""The sign-in in a real Chromium: as an editor, out, as a viewer, and a session that is ended."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.backend.token_users import ENTRIES, TOKENS, bearer
from tests.support.accessibility import violations
from tests.support.browser import new_page
from tests.support.specs import endless
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with a sign-in."""
    data = tmp_path_factory.mktemp("house") / "data"
    flags = ("--no-demo", "--workers", "1")
    with running_stack(data, *flags, LOSSBOARD_TOKENS=ENTRIES) as running:
        running.http.headers.update(bearer(TOKENS["admin"]))
        yield running


def sign_in(page: Page, role: str) -> None:
    page.get_by_label("Your token").fill(TOKENS[role])
    page.keyboard.press("Enter")


def sign_out(page: Page, who: str) -> None:
    page.get_by_role("button", name=who).click()
    page.get_by_test_id("sign-out").click()
    page.wait_for_url(re.compile("/signin"))


@pytest.mark.slow
def test_an_editor_submits_a_viewer_only_looks_and_both_leave(house: Stack, page: Page) -> None:
    page.goto(f"{house.ui_url}/new?preset=digits")
    assert page.url.endswith("/signin?next=%2Fnew%3Fpreset%3Ddigits")
    page.get_by_label("Your token").fill("a-token-that-is-none")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("unknown or no longer valid")
    sign_in(page, "editor")
    page.wait_for_url(f"{house.ui_url}/new?preset=digits")
    expect(page.get_by_role("button", name="Edda · editor")).to_be_visible()
    [cookie] = [one for one in page.context.cookies() if one["name"] == "lossboard_session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)
    assert TOKENS["editor"] not in str(page.context.cookies())
    page.get_by_role("button", name="Start comparison").click()
    page.wait_for_url(re.compile("id=c"))
    own = page.url.partition("id=")[2].partition("&")[0]
    assert house.get(f"/comparisons/{own}")["created_by"] == "Edda"
    live = page.get_by_test_id("live")
    expect(live).to_have_attribute("data-connection", re.compile("live|ended"))
    page.get_by_role("button", name="More", exact=False).last.click()
    expect(page.get_by_role("menuitem", name=re.compile("More seeds"))).to_be_visible()
    expect(page.get_by_role("menuitem", name=re.compile("Delete"))).to_have_count(0)
    page.keyboard.press("Escape")
    sign_out(page, "Edda · editor")
    assert page.request.get(f"{house.ui_url}/api/v1/comparisons").status == 401

    page.goto(f"{house.ui_url}/comparison?id={own}")
    sign_in(page, "viewer")
    page.wait_for_url(re.compile(f"/comparison.id={own}"))
    expect(page.get_by_role("button", name="Vera · viewer")).to_be_visible()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_disabled()
    page.get_by_role("button", name="More", exact=False).last.click()
    expect(page.get_by_role("menuitem")).to_have_text([re.compile("Alerts$")])
    page.keyboard.press("Escape")
    expect(live).to_have_attribute("data-connection", re.compile("live|ended"))
    page.goto(f"{house.ui_url}/new?preset=digits")
    expect(page.get_by_role("button", name="Start comparison")).to_be_disabled()
    expect(page.get_by_text("This needs the role editor").first).to_be_visible()
    page.goto(f"{house.ui_url}/datasets")
    expect(page.get_by_text("This needs the role editor").first).to_be_visible()
    expect(page.get_by_test_id("stFileUploader")).to_have_count(0)
    # A page of this origin may ask; the role still says no.
    status = page.evaluate(
        "fetch('/api/v1/comparisons', {method: 'POST', body: '{}'}).then((answer) => answer.status)"
    )
    assert status == 403
    sign_out(page, "Vera · viewer")
    assert house.get("/audit", who="Edda")["entries"][0]["ids"] == {"comparison": own}
    assert house.get("/audit", who="Vera")["entries"][0]["status"] == 403


@pytest.mark.slow
def test_a_session_that_ends_in_mid_way_leads_back_to_the_exact_view(
    house: Stack, page: Page
) -> None:
    own = house.http.post("/comparisons", json=endless()).json()["id"]
    view = f"{house.ui_url}/comparison?id={own}&smooth=0.6"
    page.goto(view)
    sign_in(page, "editor")
    live = page.get_by_test_id("live")
    expect(live).to_have_attribute("data-connection", "live")
    house.kill("ui")  # its sessions go with it; the launcher starts another
    page.wait_for_url(re.compile("/signin"))
    sign_in(page, "editor")
    page.wait_for_url(re.compile(f"/comparison.id={own}"))
    assert "smooth=0.6" in page.url
    expect(live).to_have_attribute("data-connection", "live")
    house.http.post(f"/comparisons/{own}/cancel")
    house.wait_ended(own)


@pytest.mark.slow
def test_signing_out_in_one_tab_ends_the_others(house: Stack, page: Page) -> None:
    refused = house.http.post("/comparisons", json={}, headers=bearer(TOKENS["viewer"]))
    assert refused.status_code == 403, "the trail has an entry, also if this test runs alone"
    page.goto(f"{house.ui_url}/queue")
    sign_in(page, "admin")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.get_by_role("link", name="Audit log").click()
    page.wait_for_url(f"{house.ui_url}/trail")
    expect(page.get_by_text(re.compile(r"page 1 of \d+, newest of \d+ first"))).to_be_visible()
    page.goto(f"{house.ui_url}/queue")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    with page.context.expect_page() as opened:
        page.evaluate("window.open('/method')")
    sign_out(opened.value, "Adam · admin")
    page.wait_for_url(re.compile("/signin.next=%2Fqueue"))


@pytest.mark.slow
def test_an_admin_lets_somebody_in_and_out_again(
    house: Stack, page: Page, browser: Browser
) -> None:
    own = house.http.post("/comparisons", json=endless()).json()["id"]
    page.goto(f"{house.ui_url}/access")
    sign_in(page, "admin")
    page.get_by_role("textbox", name="Name").fill("Gus")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Create token").click()
    copy = page.get_by_test_id("copy-text")
    copy.click()
    expect(copy).to_have_text("Copied")
    secret = page.get_by_test_id("stCode").inner_text().strip()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_test_id("stCode")).to_have_count(0)
    with new_page(browser) as theirs:
        theirs.goto(f"{house.ui_url}/comparison?id={own}")
        theirs.get_by_label("Your token").fill(secret)
        theirs.keyboard.press("Enter")
        expect(theirs.get_by_role("button", name="Gus · editor")).to_be_visible()
        expect(theirs.get_by_test_id("live")).to_have_attribute("data-connection", "live")
        page.get_by_role("button", name="Revoke").last.click()
        page.get_by_role("button", name="Revoke it").click()
        theirs.wait_for_url(re.compile("/signin"))
        theirs.get_by_label("Your token").fill(secret)
        theirs.keyboard.press("Enter")
        expect(theirs.get_by_role("alert")).to_contain_text("was revoked on")
    house.http.post(f"/comparisons/{own}/cancel")
    house.wait_ended(own)


@pytest.mark.slow
def test_no_token_is_in_a_log_or_a_file(house: Stack, page: Page) -> None:
    page.goto(f"{house.ui_url}/")
    sign_in(page, "admin")
    expect(page.get_by_role("button", name="Adam · admin")).to_be_visible()
    for token in TOKENS.values():
        house.http.get("/comparisons", params={"token": token, "page": token})
        house.http.get("/comparisons", headers=bearer(f"{token}x"))
        page.request.get(f"{house.ui_url}/api/v1/nowhere?token={token}")
        page.request.get(f"{house.ui_url}/signin?token={token}")
    found = []
    for folder, _, names in os.walk(house.data_dir):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123
                content = file.read()
            found += [name for token in TOKENS.values() if token.encode() in content]
    assert found == []
    log = until(house.log.read_text, "the log")
    assert [token for token in TOKENS.values() if token in log] == []


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_the_page_is_one_for_the_keyboard_and_loads_nothing(
    house: Stack, browser: Browser, scheme: str
) -> None:
    with new_page(browser, scheme="dark" if scheme == "dark" else "light") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{house.ui_url}/signin")
        assert [url for url in asked if not url.endswith("favicon.ico")] == [
            f"{house.ui_url}/signin"
        ]
        expect(page.get_by_label("Your token")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Sign in")).to_be_focused()
        background = page.evaluate("getComputedStyle(document.querySelector('main')).background")
        assert ("26, 33, 42" in background) == (scheme == "dark"), "the style is applied"
        assert violations(page) == []
