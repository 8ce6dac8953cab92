"""How fast the pages are, measured in a real browser against the real product.

- First meaningful paint of every page, warm: from the navigation to what the page is about.
- The comparison page with 14 runs of 10,000 steps, beside Streamlit's own charts, TensorBoard and
  trackio; and the compare page with 20 arms (200 runs).
- A switch of tabs, from the click to the new tab's content.
- Hover: from a move of the mouse to the values in all panels, as the browser timed it; beside the
  same pages.
- A lasso at 100,000 points in each of four panels, from the release of the button to the frame that
  shows the samples in all of them, as the browser timed it.
- From a run's first snapshot of 1,000 samples to its PCA on the page that waits for it.
- Step to pixel with one run, at rest and beside a busy core, there with the peers of
  benchmarks/live.py.
- What eight viewers of one live comparison cost the API.
- With `--soak MINUTES`: how a live page that is left open grows, in the browser and in the UI.

Run as `python -m benchmarks.pages`; `--only paint hover` measures those parts and documents
nothing. Nothing else should load the machine. Exits with 1 where a figure misses its goal.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import psutil
from playwright.sync_api import Locator, Page

from backend.db import migrations
from backend.db.database import Database
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from benchmarks.document import busy
from benchmarks.live import claim, paused_workers, pretend_to_train
from benchmarks.page_actions import HOVER_MS, HOVERS, OwnHover, rows_beside, seconds_to, steps
from benchmarks.page_peers import NOTE, Peer, Times, measure, peer_pages
from benchmarks.page_space import ARMS, POINTS, first_projection, lasso
from benchmarks.peers.environment import version
from benchmarks.report import Row, report
from contract.catalogue.presets import DEMO
from tests.support import long_runs, snapshots
from tests.support.browser import browser_page
from tests.support.stack import Stack, running_stack

TIMES: Final = 3
PAINT_S, LONG_S, SWITCH_MS, API_SHARE, GROWTH_MB = 1.5, 2.0, 500.0, 0.15, 50.0
VIEWERS: Final = 8
SAMPLES: Final = 10_000
"""Of each of the four panels, where tabs are switched."""
WATCHED_S: Final = 15.0
TABS: Final = {
    "Geometry": "panel-geometry.intra_class_variance",
    "Retrieval & classification": "panel-retrieval.recall_at_1",
    "Embedding space": "space-panel-0",
    "Verdict": "[data-claim='1']",
    "Set-up & logs": ".st-key-settings-of-arms table",
    "Live": "panel-dynamics.loss",
}

PARTS: Final = ("paint", "long", "compare", "tabs", "hover", "lasso", "pca", "steps", "viewers")
Find = Callable[[Page], Locator]


class Asked(argparse.Namespace):
    """What the command line says."""

    only: list[str]
    soak: float
    """Minutes."""


class Stored(NamedTuple):
    """Ids of the comparisons that pages show."""

    long_run: str
    many: list[str]
    space: str
    large_space: str


def main() -> int:
    """Measure all pages, and print them with the goals."""
    asked, load = arguments(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        stored = fill(data_dir, asked.only)
        with running_stack(data_dir, "--no-demo") as stack, browser_page() as page:
            parts: dict[str, Callable[[], list[Row]]] = {
                "paint": lambda: paints(stack, page, stored.many[0]),
                "long": lambda: long_comparison(stack, page, stored.long_run, Path(folder)),
                "compare": lambda: [compare(stack, page, stored.many)],
                "tabs": lambda: switches(stack, page, stored.space),
                "hover": lambda: hover(stack, page, stored.long_run, Path(folder)),
                "lasso": lambda: [lasso(stack, page, stored.large_space)],
                "pca": lambda: [first_projection(stack, page)],
                "steps": lambda: steps(stack, page, Path(folder)),
                "viewers": lambda: [viewers(stack)],
            }
            rows = [row for name in PARTS if name in asked.only for row in parts[name]()]
            if asked.soak:
                rows += soak(stack, page, asked.soak)
    known = {name: version(name) for name in ("tensorboard", "trackio")}
    good = report(
        rows,
        document=set(asked.only) == set(PARTS),
        versions={name: found for name, found in known.items() if found},
        notes=[NOTE, busy(load)],
    )
    return int(not good)


def arguments(given: Sequence[str] | None = None) -> Asked:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="How fast the pages are.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES")
    return parser.parse_args(given, namespace=Asked())


def fill(data_dir: Path, parts: Collection[str]) -> Stored:
    """A folder with what the parts need: one long comparison, twenty of them, and two with large
    snapshots."""
    data_dir.mkdir(parents=True)
    database = Database(f"sqlite:///{data_dir / 'lossboard.sqlite'}")
    migrations.upgrade(database)
    comparisons = 20 if {"paint", "compare"} & set(parts) else 1
    many = long_runs.fill(database, comparisons=comparisons, arms=2, seeds=5, steps=10_000)
    [long_run] = long_runs.fill(database, comparisons=1, arms=2, seeds=7, steps=10_000)
    blobs = Blobs(data_dir / BLOBS_FOLDER)
    blobs.open()
    space, large_space = (
        snapshots.fill(
            *(database, blobs),
            arms=ARMS,
            seeds=1,
            epochs=epochs,
            samples=samples if part in parts else 100,
        )
        for part, epochs, samples in (("tabs", 1, SAMPLES), ("lasso", 0, POINTS))
    )
    database.close()
    return Stored(long_run, many, space, large_space)


def paints(stack: Stack, page: Page, comparison: str) -> list[Row]:
    """Every page, from the navigation to what it is about."""
    pages: dict[str, tuple[str, Find]] = {
        "board": ("/", lambda page: page.get_by_test_id("stDataFrame").first),
        "new comparison": (
            "/new",
            lambda page: page.get_by_role("button", name="Start comparison"),
        ),
        "alerts": ("/alerts", lambda page: page.get_by_role("heading", name="Alerts", exact=True)),
        "data": ("/datasets", lambda page: page.get_by_role("heading", name="Data", exact=True)),
        "queue": ("/queue", lambda page: page.locator(".st-key-queue-workers")),
        "compare": ("/compare", lambda page: page.get_by_test_id("stDataFrame").first),
        "method": ("/method", lambda page: page.get_by_role("heading", name="Losses", exact=True)),
        "comparison": (
            f"/comparison?id={comparison}",
            lambda page: page.locator("[data-testid='panel-dynamics.loss'][data-last-step]"),
        ),
    }
    rows = []
    for name, (path, find) in pages.items():
        visit(stack.ui_url, page, path, find)  # warm
        times = [visit(stack.ui_url, page, path, find) for _ in range(TIMES)]
        rows.append(goal(f"first paint, {name}", statistics.median(times), "s", PAINT_S))
    return rows


def visit(address: str, page: Page, path: str, find: Find) -> float:
    """Return the seconds from the navigation until an element is on the screen."""
    return seconds_to(page, f"{address}{path}", lambda page: find(page).wait_for())


def all_drawn(page: Page) -> Locator:
    """Find the panel of the loss, once its curves have come to the last of 10,000 steps."""
    return page.locator("[data-testid='panel-dynamics.loss'][data-last-step='10000']")


def long_comparison(stack: Stack, page: Page, comparison: str, folder: Path) -> list[Row]:
    """To the drawn loss curves of 14 runs of 10,000 steps, in turns with other pages."""
    own: list[float] = []
    others: Times = {}
    with peer_pages(page, folder / "long") as peers:
        for _ in range(TIMES + 1):
            own.append(visit(stack.ui_url, page, f"/comparison?id={comparison}", all_drawn))
            page.goto("about:blank")
            measure(peers, others, Peer.load)
            measure(peers, {}, Peer.leave)
    return rows_beside("comparison page, 14 runs x 10,000", "s", LONG_S, own, others)


def hover(stack: Stack, page: Page, comparison: str, folder: Path) -> list[Row]:
    """From a move of the mouse over a panel to the values in all of them, with 14 runs of 10,000
    steps, in turns with other pages."""
    own: list[float] = []
    others: Times = {}
    with peer_pages(page, folder / "hover") as peers:
        visit(stack.ui_url, page, f"/comparison?id={comparison}", all_drawn)
        measure(peers, {}, Peer.load)
        ours = OwnHover(page)
        for place in range(HOVERS + 1):
            own.append(ours.measure(place))
            measure(peers, others, partial(Peer.hover, place=place))
    case = "hover to all panels, 14 runs x 10,000, p50"
    return rows_beside(case, "ms", HOVER_MS, own, others)


def compare(stack: Stack, page: Page, comparisons: list[str]) -> Row:
    """To the overlaid curves of 20 arms with 10 comparisons' 5 seeds each."""
    arms = stack.get("/arms", page_size=200)["arms"]
    chosen = [one for one in arms if one["comparison"] in comparisons][:40]
    runs = sum(len(one["runs"]) for one in chosen)
    query = "&".join(f"arm={one['comparison']}~{one['arm']}" for one in chosen)

    def drawn(page: Page) -> Locator:
        return page.locator(".st-key-chart-compare .js-plotly-plot .main-svg").first

    times = [visit(stack.ui_url, page, f"/compare?{query}", drawn) for _ in range(TIMES + 1)][1:]
    return goal(f"compare page, {runs} runs x 10,000", statistics.median(times), "s", LONG_S)


def switches(stack: Stack, page: Page, comparison: str) -> list[Row]:
    """From the click on a tab to its content, each tab seen once before."""
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    page.get_by_test_id("panel-dynamics.loss").wait_for()
    times: dict[str, list[float]] = {name: [] for name in TABS}
    for _ in range(TIMES + 1):
        for name, content in TABS.items():
            began = time.monotonic()
            page.get_by_role("tab", name=name).click()
            selector = content if content[0] in "[." else f"[data-testid='{content}']"
            page.locator(selector).first.wait_for()
            times[name].append((time.monotonic() - began) * 1000)
            page.wait_for_timeout(300)
    return [
        goal(f"tab switch, {name}", statistics.median(found[1:]), "ms", SWITCH_MS)
        for name, found in times.items()
    ]


def viewers(stack: Stack) -> Row:
    """The API's share of a core with eight streams of a live comparison, less that without."""
    with one_that_trains(stack) as comparison:
        alone = share_of_core(stack.processes("api"), WATCHED_S)
        with ExitStack() as streams:
            for _ in range(VIEWERS):
                streams.enter_context(following(f"{stack.api_url}/comparisons/{comparison}/live"))
            together = share_of_core(stack.processes("api"), WATCHED_S)
    case = f"API, {VIEWERS} viewers of a live run"
    return Row("pages", case, together - alone, "cores", 1, API_SHARE, "goal")


@contextmanager
def one_that_trains(stack: Stack) -> Iterator[str]:
    """A comparison of which a run reports 20 series at 50 steps a second, over and over."""
    with paused_workers(stack):
        comparison = stack.submit({**DEMO, "seeds": list(range(60))})
        ended = threading.Event()

        def train() -> None:
            while not ended.is_set():
                pretend_to_train(stack, claim(stack), {})

        trainer = threading.Thread(target=train, daemon=True)
        trainer.start()
        try:
            yield comparison
        finally:
            ended.set()
            stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()


@contextmanager
def following(url: str) -> Iterator[None]:
    """Read an event stream in a thread, as a browser does."""
    ended = threading.Event()

    def read() -> None:
        with httpx.stream("GET", url, timeout=None) as answer:
            for _ in answer.iter_raw():
                if ended.is_set():
                    return

    threading.Thread(target=read, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def share_of_core(processes: list[psutil.Process], seconds: float) -> float:
    """CPU seconds a second that processes take."""

    def taken() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    before, began = taken(), time.monotonic()
    time.sleep(seconds)
    return (taken() - before) / (time.monotonic() - began)


def soak(stack: Stack, page: Page, minutes: float) -> list[Row]:
    """Growth of the browser's heap and of the UI process while a live page stays open."""
    session = page.context.new_cdp_session(page)

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    def resident() -> float:
        return sum(process.memory_info().rss for process in stack.processes("ui")) / 1e6

    with one_that_trains(stack) as comparison:
        page.goto(f"{stack.ui_url}/comparison?id={comparison}")
        page.get_by_test_id("panel-dynamics.loss").wait_for()
        page.wait_for_timeout(60_000)  # what it needs once is there
        before = heap(), resident()
        page.wait_for_timeout(minutes * 60_000)
        after = heap(), resident()
    return [
        Row("pages", f"{minutes:g} min live, {what}", late - early, "MB", 1, GROWTH_MB, "goal")
        for what, early, late in zip(("browser", "UI process"), before, after, strict=True)
    ]


def goal(case: str, value: float, unit: str, most: float) -> Row:
    """A median of a few repeats beside its goal."""
    return Row("pages", case, value, unit, TIMES, most, "goal")


if __name__ == "__main__":
    sys.exit(main())
