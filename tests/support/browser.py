"""A real Chromium for tests and measurements of the pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.waiting import PATIENCE

FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
"""The last one gives pages of other sites, such as http://evil.example, an address of this machine;
nothing of a test leaves it."""


def chromium() -> str:
    """Return the path of the browser: LOSSBOARD_CHROMIUM, or the system's.

    Raises:
        FileNotFoundError: none is installed; says what to install.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("LOSSBOARD_CHROMIUM") or next(
        filter(None, map(shutil.which, names)), None
    )
    if not found:
        raise FileNotFoundError(
            "no Chromium: install it (Debian: apt-get install chromium) or set LOSSBOARD_CHROMIUM"
        )
    return found


WAIT_MS: Final = 12_000 * PATIENCE
"""Timeout of actions and expectations; Playwright's default, 5 s, is short on a busy machine."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a browser without a page; it takes a second or two."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        expect.set_options(timeout=WAIT_MS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def new_page(
    browser: Browser,
    *,
    width: int = 1440,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Page]:
    """Open an empty page that shares no cookie and no cache with the browser's other pages."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(WAIT_MS)
    try:
        yield page
    finally:
        page.context.close()


@contextmanager
def browser_page() -> Iterator[Page]:
    """Open an empty page in a new browser."""
    with running_browser() as browser, new_page(browser) as page:
        yield page
