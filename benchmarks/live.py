"""How live the live page is, measured in a real browser.

- Step to pixel: runs report 20 series at 50 steps a second each through the worker's own
  reporter; from the moment a value is handed to the reporter to the frame that shows it. Once
  with one run and one core kept busy, as a trainer does on a machine of two cores, and once with
  six runs at a time.
- Submit to first point: from the click on "Start comparison" to the first point of the loss on
  the screen, with a warm trainer.

Run as `python -m benchmarks.live`. Nothing else should load the machine.
"""

import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import Page

from benchmarks.report import Row, percentile, report
from contract.presets import DEMO
from tests.support.browser import browser_page
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until
from worker.outbox import Outbox
from worker.stream import StreamReporter, connect

STEPS, STEPS_A_SECOND, SERIES = 1500, 50, 20
WARM_UP_S: Final = 5.0
"""Points handed over before that are not counted: the page is still loading."""
SUBMITS: Final = 5
PANEL: Final = "dynamics.loss"


def main() -> None:
    """Measure both and print them beside the goals."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder) / "data", "--no-demo") as stack,
        browser_page() as page,
    ):
        with busy_core():
            one = step_to_pixel(stack, page, runs=1)
        six = step_to_pixel(stack, page, runs=6)
        waits = [submit_to_first_point(stack, page) for _ in range(SUBMITS)]
    rows = [
        Row(
            "live",
            f"step to pixel, {case}, p{round(share * 100)}",
            ms,
            "ms",
            len(delays),
            goal,
            "goal",
        )
        for case, delays in (("one run", one), ("six at a time", six))
        for share, goal in ((0.5, 150), (0.95, 400))
        for ms in [percentile(delays, share) * 1000]
    ]
    wait = statistics.median(waits)
    report([*rows, Row("live", "submit to first point, p50", wait, "s", SUBMITS, 2, "goal")])


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy, as a trainer with one thread does."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def step_to_pixel(stack: Stack, page: Page, *, runs: int) -> list[float]:
    """Seconds from the reporter to the frame, of every point of the loss that was painted."""
    with paused_workers(stack):
        comparison = stack.submit(dict(DEMO))
        page.goto(f"{stack.ui_url}/comparison?id={comparison}")
        page.get_by_test_id(f"panel-{PANEL}").wait_for()
        claims = [claim(stack) for _ in range(runs)]
        reported: dict[tuple[str, int], float] = {}
        trainers = [
            threading.Thread(target=pretend_to_train, args=(stack, one, reported)) for one in claims
        ]
        began = time.time()
        for trainer in trainers:
            trainer.start()
        for trainer in trainers:
            trainer.join()
        stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
        stack.wait_ended(comparison)
    painted: list[dict[str, Any]] = page.evaluate("window.__lossboard.points")
    found = [
        point["painted"] / 1000 - reported[point["run"], point["step"]]
        for point in painted
        if point["key"] == PANEL and reported[point["run"], point["step"]] > began + WARM_UP_S
    ]
    assert len(found) > 200, f"only {len(found)} points were seen to be painted"
    return found


@contextmanager
def paused_workers(stack: Stack) -> Iterator[None]:
    """Hold the real slots still, so that this program is the only worker."""
    processes = stack.processes("worker")
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def claim(stack: Stack) -> dict[str, Any]:
    """Claim the next run as a slot does."""
    answer = internal(stack, "claim", {"worker": "bench", "device": "cpu", "host": "b", "pid": 1})
    found: dict[str, Any] = answer.json()
    return found


def internal(stack: Stack, path: str, body: dict[str, Any]) -> httpx.Response:
    """POST to the workers' part of the API."""
    token = (stack.data_dir / "worker-token").read_text()
    answer = stack.http.post(
        f"/internal/{path}", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    answer.raise_for_status()
    return answer


def pretend_to_train(
    stack: Stack, run: dict[str, Any], reported: dict[tuple[str, int], float]
) -> None:
    """Report values at a steady pace, as a trainer does, and keep the lease."""
    with connect(stack.broker_url, timeout=5.0) as client:
        reporter = StreamReporter(run["run"], run["attempt"], client, Outbox())
        reporter.started(device="bench", total_steps=STEPS, steps_per_epoch=STEPS // 20)
        began = time.time()
        for step in range(1, STEPS + 1):
            time.sleep(max(0.0, began + step / STEPS_A_SECOND - time.time()))
            value = math.exp(-step / 500) + 0.02 * math.sin(step)
            values = {f"bench.{index}": value for index in range(SERIES - 1)}
            reported[run["run"], step] = time.time()
            reporter.points(step, {PANEL: value, **values})
            if step % STEPS_A_SECOND == 0:
                reporter.committed(beat(stack, run))
        reporter.ended("succeeded")

        def stored() -> bool:
            reporter.committed(beat(stack, run))
            return bool(stack.get(f"/runs/{run['run']}")["state"] == "succeeded")

        until(stored, f"the end of {run['run']}")


def beat(stack: Stack, run: dict[str, Any]) -> int:
    """Send a heartbeat; the last event that is stored."""
    body = {"attempt": run["attempt"], "worker": "bench"}
    return int(internal(stack, f"runs/{run['run']}/heartbeat", body).json()["committed_seq"])


def submit_to_first_point(stack: Stack, page: Page) -> float:
    """Seconds from the click to the first point on the screen."""
    page.goto(f"{stack.ui_url}/new?preset=digits")
    button = page.get_by_role("button", name="Start comparison")
    button.wait_for()
    until(lambda: any(w["state"] == "idle" for w in stack.get("/workers")["workers"]), "a slot")
    time.sleep(6)  # a person fills in the form meanwhile; the spare trainer warms up
    clicked = time.monotonic()
    button.click()
    page.locator(f"[data-testid='panel-{PANEL}'][data-last-step]").wait_for()
    waited = time.monotonic() - clicked
    comparison = page.url.partition("id=")[2].partition("&")[0]
    stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
    stack.wait_ended(comparison)
    return waited


if __name__ == "__main__":
    main()
