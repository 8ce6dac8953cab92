"""What axe-core finds wrong with a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

IMPACTS: Final = ("serious", "critical")


@dataclass(frozen=True)
class Known:
    """A violation inside a widget of Streamlit's that our code cannot change."""

    rule: str
    selector: str
    """The element or one around it matches it."""
    reason: str


KNOWN: Final[tuple[Known, ...]] = ()


FADES: Final = """document.getAnimations().some(
    (one) => one instanceof CSSTransition && one.playState === 'running'
)"""
"""Whether anything fades. A transition that has finished stays listed until the next frame, and a
page at rest draws none."""


def at_rest(page: Page) -> None:
    """Wait until a page has drawn all it has, and nothing is pale because it is drawn anew."""
    page.locator("h1").first.wait_for()
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.locator("[data-stale='true']")).to_have_count(0)
    page.wait_for_function(f"!{FADES}")


def violations(page: Page) -> list[str]:
    """Return the serious and critical violations of a page, each with its element, but known ones
    and those in what is not shown."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{rule}: {target}: {html}"
        for rule, target, html in _elements(found)
        if not any(known.rule == rule and _inside(page, target, known) for known in KNOWN)
    ]


def headings(page: Page) -> list[int]:
    """Return the levels of the headings that are shown, in the page's order."""
    levels: list[int] = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]"
        ".filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]))"
    )
    return levels


def _elements(found: Any) -> Iterator[tuple[str, str, str]]:
    for violation in found["violations"]:
        if violation["impact"] in IMPACTS:
            for node in violation["nodes"]:
                yield violation["id"], str(node["target"][-1]), node["html"][:200]


def _inside(page: Page, target: str, known: Known) -> bool:
    ask = "([target, around]) => Boolean(document.querySelector(target)?.closest(around))"
    return bool(page.evaluate(ask, [target, known.selector]))
