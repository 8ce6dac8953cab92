"""The product in a real Chromium behind a proxy: under a path, and where websockets are blocked."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.db import migrations
from backend.db.database import Database
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from frontend.cli import __main__ as cli
from tests.backend.token_users import ENTRIES, TOKENS, bearer
from tests.support.browser import new_page
from tests.support.reverse_proxy import Upgrades, reverse_proxy
from tests.support.snapshots import fill
from tests.support.specs import endless
from tests.support.stack import Stack, running_stack
from tests.support.tiny_sets import image_files, zipped
from tests.support.waiting import until

pytestmark = pytest.mark.slow

BASE_PATH = "/tools/lossboard"
PAGES = ("", "compare", "new", "queue", "datasets", "method")
NOTICE = "connection-notice"


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str, str]]:
    """The product with a base path and a sign-in, a finished comparison and one that runs."""
    data = tmp_path_factory.mktemp("below") / "data"
    data.mkdir()
    database, blobs = Database(f"sqlite:///{data / 'lossboard.sqlite'}"), Blobs(data / BLOBS_FOLDER)
    migrations.upgrade(database)
    blobs.open()
    finished = fill(database, blobs, arms=2, seeds=1, epochs=1, samples=60)
    database.close()
    settings = {"LOSSBOARD_TOKENS": ENTRIES, "LOSSBOARD_BASE_PATH": BASE_PATH}
    with running_stack(data, "--no-demo", "--workers", "1", **settings) as stack:
        stack.http.headers.update(bearer(TOKENS["admin"]))
        yield stack, finished, stack.submit(endless())


def failures_of(page: Page) -> list[str]:
    """Return the list that collects failed requests and errors of the page's console."""
    found: list[str] = []
    page.on(
        "response",
        lambda got: found.append(f"{got.status} {got.url}") if got.status >= 400 else None,
    )
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    return found


@pytest.mark.parametrize(
    "strip",
    [pytest.param(False, id="path-kept"), pytest.param(True, id="removed")],
)
def test_everything_works_under_a_path(
    below: tuple[Stack, str, str], page: Page, tmp_path: Path, strip: bool
) -> None:
    stack, finished, running = below
    with reverse_proxy(stack.ui_url, BASE_PATH, strip=strip) as proxy:
        failed = failures_of(page)
        # A deep link leads to the sign-in and from there back to the same view.
        page.goto(f"{proxy.url}/comparison?id={finished}&tab=space")
        page.get_by_label("Your token").fill(TOKENS["editor"])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{proxy.url}/comparison?id={finished}&tab=space*")
        expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")
        expect(page.get_by_test_id("space-panel-1").locator("canvas")).to_be_visible()
        cookies = {cookie.get("name"): cookie.get("path") for cookie in page.context.cookies()}
        assert cookies["lossboard_session"] == BASE_PATH
        assert set(cookies.values()) == {BASE_PATH}

        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Results, CSV").click()
        assert Path(download.value.path()).read_text().startswith("arm,seed,metric")

        page.goto(f"{proxy.url}/datasets")
        archive = zipped(tmp_path / f"{strip}.zip", image_files(classes=2, each=3))
        page.locator("input[type=file]").set_input_files(archive)
        page.get_by_role("button", name=re.compile(r"Upload \d")).click()
        shown = page.locator(f"img[src^='{BASE_PATH}/api/v1/datasets/']").first
        shown.scroll_into_view_if_needed()
        page.wait_for_function("image => image.naturalWidth > 0", arg=shown.element_handle())

        page.goto(f"{proxy.url}/comparison?id={running}")
        live = page.get_by_test_id("live")
        expect(live).to_have_attribute("data-connection", "live")
        live.locator(".trace").first.wait_for(state="attached")
        help_mark = page.get_by_role("link", name="Loss: how it is defined")
        assert str(help_mark.get_attribute("href")).startswith(f"{BASE_PATH}/method?")

        page.goto(proxy.url)  # without a slash at its end
        expect(page).to_have_url(f"{proxy.url}/")
        page.get_by_role("link", name="Queue").click()
        page.wait_for_url(f"{proxy.url}/queue")
        page.get_by_role("button", name="Edda · editor").click()
        page.get_by_test_id("sign-out").click()
        page.wait_for_url(f"{proxy.url}/signin")
        assert "lossboard_session" not in str(page.context.cookies())
        assert failed == []
        assert proxy.failed == []


def test_the_servers_own_address_leads_to_the_base_path(
    below: tuple[Stack, str, str], page: Page
) -> None:
    stack, finished, _ = below
    assert f"dashboard {stack.ui_url}{BASE_PATH} " in stack.log.read_text()
    page.goto(f"{stack.ui_url}/comparison?id={finished}")
    expect(page).to_have_url(re.compile(f"^{stack.ui_url}{BASE_PATH}/signin"))
    page.get_by_label("Your token").fill(TOKENS["viewer"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.ui_url}{BASE_PATH}/comparison?id={finished}*")
    page.goto(f"{stack.ui_url}/queue?x=1#here")
    page.wait_for_url(f"{stack.ui_url}{BASE_PATH}/queue?x=1#here")
    expect(page.get_by_role("button", name="Vera · viewer")).to_be_visible()


def test_the_command_line_takes_the_address_with_the_path(
    below: tuple[Stack, str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack, _, running = below
    monkeypatch.setenv("LOSSBOARD_TOKEN", TOKENS["viewer"])
    for strip in (False, True):
        with reverse_proxy(stack.ui_url, BASE_PATH, strip=strip) as proxy:
            assert cli.main(["list", "--api", proxy.url]) == 0
        assert running in capsys.readouterr().out


def test_no_request_of_a_walk_through_the_pages_fails(stack: Stack, page: Page) -> None:
    failed = failures_of(page)
    own = stack.submit(endless())
    for path in (*PAGES, f"comparison?id={own}"):
        page.goto(f"{stack.ui_url}/{path}")
        expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.get_by_test_id("live")).to_have_attribute("data-connection", "live")
    stack.http.post(f"/comparisons/{own}/cancel")
    assert failed == []


def test_a_path_that_lossboard_was_not_told_is_named(stack: Stack, page: Page) -> None:
    with reverse_proxy(stack.ui_url, BASE_PATH, strip=True) as proxy:
        page.goto(f"{proxy.url}/queue")
        notice = page.get_by_test_id(NOTICE)
        expect(notice).to_contain_text(f"LOSSBOARD_BASE_PATH={BASE_PATH}.")


@pytest.mark.parametrize(
    ("upgrades", "scheme"), [("refuse", "light"), ("swallow", "dark")], ids=["refused", "swallowed"]
)
def test_a_blocked_websocket_is_told_and_the_page_goes_on_once_it_is_not(
    stack: Stack, browser: Browser, upgrades: Upgrades, scheme: Literal["light", "dark"]
) -> None:
    with (
        reverse_proxy(stack.ui_url, upgrades=upgrades) as proxy,
        new_page(browser, scheme=scheme) as page,
    ):
        page.clock.install()
        page.goto(f"{proxy.url}/queue")
        until(lambda: any("_stcore/stream" in target for target in proxy.targets), "the websocket")
        notice = page.get_by_test_id(NOTICE)
        # Ten seconds of the page's own clock, however slow the machine.
        for _ in range(10):
            page.clock.run_for(1_000)
            if notice.count():
                break
        expect(notice).to_contain_text("The websocket to Lossboard is blocked")
        expect(notice).to_contain_text(f"{proxy.url.replace('http', 'ws')}/_stcore/stream")
        colours = notice.evaluate("one => [getComputedStyle(one).backgroundColor]")
        assert colours == ["rgb(255, 255, 255)" if scheme == "light" else "rgb(26, 33, 42)"]
        proxy.upgrades = "pass"
        page.clock.run_for(20_000)
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        expect(notice).to_have_count(0)


def test_a_server_that_is_slow_is_not_called_blocked(stack: Stack, page: Page) -> None:
    with reverse_proxy(stack.ui_url, upgrades="slow") as proxy:
        page.clock.install()
        page.goto(f"{proxy.url}/queue")
        until(lambda: any("_stcore/stream" in target for target in proxy.targets), "the websocket")
        asked = proxy.targets.count("/queue")
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/queue")):
            page.clock.run_for(9_000)
        assert proxy.targets.count("/queue") > asked, "it asks whether the server answers"
        expect(page.get_by_test_id(NOTICE)).to_have_count(0)
        proxy.upgrades = "pass"
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        expect(page.get_by_test_id(NOTICE)).to_have_count(0)
