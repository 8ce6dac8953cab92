"""What benchmarks/pages.py measures of the embedding space: a lasso, and a first projection."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import FloatRect, Page

from backend.storage.blobs import BLOBS_FOLDER, Blobs
from benchmarks.live import beat, claim, paused_workers
from benchmarks.page_actions import Measured, entries
from benchmarks.report import Row, percentile
from contract.catalogue.presets import DEMO
from contract.events import Snapshot
from tests.support.snapshots import put_samples, put_snapshot
from tests.support.stack import Stack
from tests.support.waiting import until
from worker.reporting.event_sender import EventSender, connect_to_broker
from worker.reporting.outbox import Outbox
from worker.reporting.stream_reporter import StreamReporter

PCA_S: Final = 2.0
SAMPLES, DIM = 1_000, 64
"""Of the first projection."""
PROJECTIONS: Final = 6
LASSO_MS: Final = 150.0
POINTS, ARMS = 100_000, 4
PARTS: Final = (0.2, 0.3, 0.4, 0.25, 0.35)
"""Half the side of each lasso, as a share of the panel's."""


def lasso(stack: Stack, page: Page, comparison: str) -> Row:
    """From the release of the button to the frame with the samples marked in all panels, as the
    browser timed it, of several lassos around the middle of the first panel."""
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=space")
    panel = page.get_by_test_id("space-panel-0")
    panel.locator("canvas").first.wait_for()
    until(lambda: page.evaluate(entries("lossboard:space")), "the panels to be drawn")
    box = panel.locator("canvas").first.bounding_box()
    assert box
    measured = Measured(page, "lossboard:lasso")
    times: list[float] = []
    for part in PARTS:
        draw_around_the_middle(page, box, part)
        times.append(measured.next_ms())
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


def first_projection(stack: Stack, page: Page) -> Row:
    """From a run's report of its first snapshot, whose files are stored, to the frame with its PCA
    on a page that waits for it. A new comparison each time."""
    blobs = Blobs(stack.data_dir / BLOBS_FOLDER)
    blobs.open()
    labels, shared = put_samples(blobs, SAMPLES)
    times = []
    with paused_workers(stack):
        for turn in range(PROJECTIONS + 1):
            snapshot = put_snapshot(blobs, embeddings(labels, turn), labels, 0, shared)
            comparison = stack.submit({**DEMO, "seeds": [0]})
            page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=space")
            page.get_by_test_id("space").get_by_text("No snapshot yet").wait_for()
            with reporting(stack) as reporter:
                times.append(seconds_to_the_picture(page, reporter, snapshot))
            stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
            stack.wait_ended(comparison)
    own = times[1:]  # the first warms up
    case = f"snapshot of {SAMPLES:,} samples to its PCA on the page, p50"
    return Row("pages", case, percentile(own, 0.5), "s", len(own), PCA_S, "goal")


def embeddings(labels: NDArray[np.int_], turn: int) -> NDArray[np.float64]:
    """Unit vectors around the centres of their classes, others each turn."""
    random = np.random.default_rng(turn)
    centres = random.normal(size=(labels.max() + 1, DIM))
    found: NDArray[np.float64] = centres[labels] + random.normal(size=(len(labels), DIM))
    unit: NDArray[np.float64] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


@contextmanager
def reporting(stack: Stack) -> Iterator[StreamReporter]:
    """Claim a run as a slot does, and report as its trainer; it has succeeded at the end."""
    run = claim(stack)
    with connect_to_broker(stack.broker_url, timeout=5.0) as client:
        sender = EventSender(client)
        reporter = StreamReporter(run["run"], run["attempt"], sender, Outbox())
        reporter.started(device="bench", total_steps=20, steps_per_epoch=1)
        yield reporter
        reporter.ended("succeeded")
        until(lambda: succeeded(stack, run, reporter), f"the end of {run['run']}")
        sender.close()


def succeeded(stack: Stack, run: dict[str, Any], reporter: StreamReporter) -> bool:
    """Send a heartbeat. Returns whether the run's end is stored."""
    reporter.mark_stored(beat(stack, run))
    return bool(stack.get(f"/runs/{run['run']}")["state"] == "succeeded")


def seconds_to_the_picture(page: Page, reporter: StreamReporter, snapshot: Snapshot) -> float:
    """Report a snapshot, and wait until the page has drawn it."""
    reported = time.time()
    reporter.snapshot_stored(snapshot)
    until(lambda: page.evaluate(entries("lossboard:space")), "the PCA to be drawn")
    drawn: float = page.evaluate(
        """() => {
          const [{ startTime, duration }] = performance.getEntriesByName("lossboard:space");
          return performance.timeOrigin + startTime + duration;
        }"""
    )
    return drawn / 1000 - reported
