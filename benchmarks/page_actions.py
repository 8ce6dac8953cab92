"""What benchmarks/pages.py measures of a page that is used: hover, lasso, steps, a first
projection."""

import statistics
import time
from collections.abc import Sequence
from typing import Final

from playwright.sync_api import FloatRect, Page

from benchmarks.live import Ours, busy_core, step_to_pixel
from benchmarks.report import Row, percentile
from tests.support.stack import Stack
from tests.support.waiting import until

HOVER_MS: Final = 50.0
STEP_MS: Final = ((0.5, 120.0), (0.95, 300.0))
"""Share of the points, and the goal of a machine at rest."""
BUSY_MS: Final = ((0.5, 250.0),)
PCA_S: Final = 2.0
HOVERS: Final = 20
LASSO_MS: Final = 150.0
POINTS, ARMS = 10_000, 4


def entries(name: str, what: str = "duration") -> str:
    """JavaScript that gives what the page measured under a name, in milliseconds."""
    return f"performance.getEntriesByName('{name}').map((entry) => entry.{what})"


def hover(stack: Stack, page: Page, comparison: str) -> Row:
    """From a move of the mouse over a panel to the frame with all panels' values, as the browser
    timed it, with 14 runs of 10,000 steps."""
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    panel = page.get_by_test_id("panel-dynamics.loss")
    page.locator("[data-testid='panel-dynamics.loss'][data-last-step='10000']").wait_for()
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    assert box
    times: list[float] = []
    last = "[]"  # when the last one began: the page keeps the newest measure alone
    for place in range(HOVERS):
        share = 0.3 + 0.5 * ((place * 7) % HOVERS) / HOVERS
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)

        def shown(before: str = last) -> str:
            began = str(page.evaluate(entries("lossboard:hover", "startTime")))
            return began if began not in {before, "[]"} else ""

        last = until(shown, "the values at the mouse")
        times += page.evaluate(entries("lossboard:hover"))
    case = "hover to all panels, 14 runs x 10,000, p50"
    return Row("pages", case, percentile(times, 0.5), "ms", len(times), HOVER_MS, "goal")


def steps(stack: Stack, page: Page) -> list[Row]:
    """From a value's report by one run to the frame that shows it: at rest and beside a busy
    core."""
    alone = step_to_pixel(stack, page, runs=1)
    with busy_core():
        beside = step_to_pixel(stack, page, runs=1)
    return [
        *step_rows("step to pixel", alone, STEP_MS),
        *step_rows("step to pixel beside a busy core", beside, BUSY_MS),
    ]


def step_rows(case: str, seen: Ours, goals: Sequence[tuple[float, float]]) -> list[Row]:
    """One row for each share of the points."""
    return [
        Row(
            "pages",
            f"{case}, p{round(share * 100)}",
            percentile(seen.points, share) * 1000,
            "ms",
            len(seen.points),
            most,
            "goal",
        )
        for share, most in goals
    ]


def first_projection(stack: Stack, page: Page, comparisons: Sequence[str]) -> Row:
    """From opening the embedding space of stored snapshots that nobody has projected to their
    drawn PCA; the page's own start is part of it. A new comparison each time."""
    times = []
    for comparison in comparisons:
        page.goto("about:blank")
        began = time.monotonic()
        page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=space", wait_until="commit")
        page.get_by_test_id("space-panel-0").locator("canvas").first.wait_for()
        until(lambda: page.evaluate(entries("lossboard:space")), "the PCA to be drawn")
        times.append(time.monotonic() - began)
    own = times[1:]  # the first warms up
    case = "open to the first PCA of 1,000 samples, p50"
    return Row("pages", case, percentile(own, 0.5), "s", len(own), PCA_S, "goal")


def lasso(stack: Stack, page: Page, comparison: str) -> Row:
    """As the browser timed it, of several lassos around the middle of the first panel."""
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=space")
    panel = page.get_by_test_id("space-panel-0")
    panel.locator("canvas").first.wait_for()
    until(lambda: page.evaluate(entries("lossboard:space")), "the panels to be drawn")
    box = panel.locator("canvas").first.bounding_box()
    assert box
    times: list[float] = []
    last = ""  # when the last one began: the page keeps the newest measure alone
    for part in (0.2, 0.3, 0.4, 0.25, 0.35):
        draw_around_the_middle(page, box, part)

        def painted(before: str = last) -> str:
            page.wait_for_timeout(20)
            began = str(page.evaluate(entries("lossboard:lasso", "startTime")))
            return began if began not in {before, "[]"} else ""

        last = until(painted, "the lasso to be painted")
        times += page.evaluate(entries("lossboard:lasso"))
    case = f"lasso, {POINTS:,} points x {ARMS} panels"
    return Row("pages", case, statistics.median(times), "ms", len(times), LASSO_MS, "goal")


def draw_around_the_middle(page: Page, box: FloatRect, part: float) -> None:
    """A square of that part of the panel's size to every side."""
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    reach = (box["width"] * part, box["height"] * part)
    page.mouse.move(middle[0] - reach[0], middle[1] - reach[1])
    page.mouse.down()
    for x, y in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
        page.mouse.move(middle[0] + x * reach[0], middle[1] + y * reach[1], steps=6)
    page.mouse.up()
