"""What benchmarks/pages.py measures of curves: until they are drawn, hover, and steps as they come.
Helpers that time what a page does."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page

from benchmarks import live_peers
from benchmarks.live import Ours, busy_core, rows_of, step_to_pixel
from benchmarks.report import Row, percentile
from tests.support.stack import Stack
from tests.support.waiting import until

HOVER_MS: Final = 50.0
STEP_MS: Final = ((0.5, 120.0), (0.95, 300.0))
"""Share of the points, and the goal of a machine at rest."""
BUSY_MS: Final = ((0.5, 250.0),)
HOVERS: Final = 20


def seconds_to(page: Page, address: str, wait: Callable[[Page], object]) -> float:
    """Return the seconds from the navigation until a wait for what the page is about ends."""
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(address, wait_until="commit")
    wait(page)
    return time.monotonic() - began


def entries(name: str, what: str = "duration") -> str:
    """JavaScript that gives what the page measured under a name, in milliseconds."""
    return f"performance.getEntriesByName('{name}').map((entry) => entry.{what})"


def points_at(page: Page, plot: Locator, place: int) -> None:
    """Move the mouse over a plot, to the next of HOVERS places, each far from the one before."""
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    share = 0.3 + 0.5 * ((place * 7) % HOVERS) / HOVERS
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)


class Measured:
    """What a page measures under a name; it keeps the newest alone."""

    def __init__(self, page: Page, name: str) -> None:
        self._page = page
        self._name = name
        self._last = ""  # when that of the last call began

    def next_ms(self) -> float:
        """Wait for one that began after that of the last call. Returns its milliseconds."""

        def began() -> str:
            self._page.wait_for_timeout(20)  # leave the page its time
            found = str(self._page.evaluate(entries(self._name, "startTime")))
            return found if found not in {self._last, "[]"} else ""

        self._last = until(began, f"a new {self._name}")
        [found] = self._page.evaluate(entries(self._name))
        return float(found)


class OwnHover:
    """Our page of the long comparison, whose panels all tell their values at the mouse."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._measured = Measured(page, "lossboard:hover")

    def measure(self, place: int) -> float:
        """Return the milliseconds from a move of the mouse to the frame with all values, as the
        browser timed it."""
        points_at(self._page, self._page.get_by_test_id("panel-dynamics.loss"), place)
        return self._measured.next_ms()


def rows_beside(
    case: str, unit: str, limit: float, own: Sequence[float], others: dict[str, list[float] | str]
) -> list[Row]:
    """A row for each peer; medians, each without the first, which warms up."""
    ours = statistics.median(own[1:])
    row = Row("pages", case, ours, unit, len(own) - 1, limit=limit)
    return [
        replace(row, peer_name=f"{name} (not measured: {found})")
        if isinstance(found, str)
        else replace(row, peer_name=name, peer=statistics.median(found[1:]))
        for name, found in others.items()
    ]


def steps(stack: Stack, page: Page, folder: Path) -> list[Row]:
    """From a value's report by one run to the frame that shows it: at rest, and beside a busy core,
    there with the peers of benchmarks/live.py."""
    browser = page.context.browser
    assert browser
    alone = step_to_pixel(stack, page, runs=1)
    with busy_core():
        beside = step_to_pixel(stack, page, runs=1)
        page.goto("about:blank")
        peers = live_peers.all_seen(browser, folder)
    return [
        *step_rows("step to pixel", alone, STEP_MS),
        *step_rows("step to pixel beside a busy core", beside, BUSY_MS),
        *(
            replace(row, bench="pages", case=f"beside a busy core, {row.case}")
            for row in rows_of(beside.seen, peers)
        ),
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
