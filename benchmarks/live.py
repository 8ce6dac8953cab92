"""How live the live page is, measured in a real browser, beside a Streamlit page with
`st.plotly_chart` in a fragment and beside TensorBoard, at the same pace of the same points.

- Step to pixel: runs report 20 series at 50 steps a second each through the worker's own
  reporter; from the moment a value is handed to the reporter to the frame that shows it. Once
  with one run and one core kept busy, as a trainer does on a machine of two cores, and once with
  six runs at a time.
- A step is seen: the same run beside the peers, with the busy core. From handing a step over to
  the frame in which it or a newer one is on the screen, and the bytes a second that reach the
  viewer's page meanwhile. A peer's page shows this one chart. The Streamlit page reads a growing
  SQLite table, once with a fragment that runs every second and once four times a second.
  TensorBoard reads event files that are flushed at every step: as it comes (its server looks
  every 5 s) with its page's reload turned on, which takes no period below 30 s; and with a server
  that looks every second and a script that presses the page's reload button every second.
- Submit to first point: from the click on "Start comparison" to the first point of the loss on
  the screen, with a warm trainer.

About six minutes. Nothing else should load the machine.
Command: python -m benchmarks.live
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from playwright.sync_api import Page

from benchmarks import live_peers
from benchmarks.document import busy
from benchmarks.live_page import delays, newest, watched
from benchmarks.live_peers import WARM_UP_S, Seen
from benchmarks.peers.environment import version
from benchmarks.peers.pace import PANEL, STEPS, STEPS_A_SECOND, paced
from benchmarks.report import Row, percentile, report
from contract.catalogue.presets import DEMO
from tests.support.browser import browser_page
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until
from worker.reporting.event_sender import EventSender, connect_to_broker
from worker.reporting.outbox import Outbox
from worker.reporting.stream_reporter import StreamReporter

SUBMITS: Final = 5


class Ours(NamedTuple):
    """The times at which our page showed points."""

    points: list[float]
    """Seconds from the reporter to the frame, of every point of the loss that was painted."""
    seen: Seen
    """The same of every step, when it or a newer one was painted; of one run."""


def main() -> None:
    """Measure all, and print it with the goals and the peers."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        with (
            running_stack(Path(folder) / "data", "--no-demo") as stack,
            browser_page() as page,
        ):
            with busy_core():
                one = step_to_pixel(stack, page, runs=1)
            six = step_to_pixel(stack, page, runs=6)
            waits = [submit_to_first_point(stack, page) for _ in range(SUBMITS)]
        with browser_page() as page, busy_core():
            assert page.context.browser is not None
            peers = live_peers.all_seen(page.context.browser, Path(folder))
    rows = [
        Row(
            "live",
            f"step to pixel, {case}, p{round(share * 100)}",
            ms,
            "ms",
            len(ours.points),
            goal,
            "goal",
        )
        for case, ours in (("one run", one), ("six at a time", six))
        for share, goal in ((0.5, 150), (0.95, 400))
        for ms in [percentile(ours.points, share) * 1000]
    ]
    wait = statistics.median(waits)
    rows.append(Row("live", "submit to first point, p50", wait, "s", SUBMITS, 2, "goal"))
    rows += rows_of(one.seen, peers)
    known = version("tensorboard")
    versions = {"tensorboard": known} if known else {}
    report(rows, versions=versions, notes=[live_peers.NOTE, busy(load)])


def rows_of(ours: Seen, peers: Mapping[str, Seen | str]) -> Iterator[Row]:
    """Return three rows per peer, without numbers if it was not measured."""
    cases: dict[str, tuple[str, Callable[[Seen], float]]] = {
        "one run, a step is seen, p50": ("ms", lambda seen: percentile(seen.delays, 0.5) * 1000),
        "one run, a step is seen, p95": ("ms", lambda seen: percentile(seen.delays, 0.95) * 1000),
        "one run, a viewer receives": ("kB/s", lambda seen: seen.rate / 1000),
    }
    for case, (unit, figure) in cases.items():
        for name, peer in peers.items():
            n = len(ours.delays) if unit == "ms" else 1
            row = Row("live", case, figure(ours), unit, n)
            if isinstance(peer, str):
                yield replace(row, peer_name=f"{name} (not measured: {peer})")
            else:
                yield replace(row, peer_name=name, peer=figure(peer))


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy, as a trainer with one thread does."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def step_to_pixel(stack: Stack, page: Page, *, runs: int) -> Ours:
    """Let runs report at a steady pace, and measure when the page paints the points."""
    with paused_workers(stack), watched(page) as traffic:
        comparison = stack.submit(dict(DEMO))
        page.goto(f"{stack.ui_url}/comparison?id={comparison}")
        page.get_by_test_id(f"panel-{PANEL}").wait_for()
        claims = [claim(stack) for _ in range(runs)]
        reported: dict[tuple[str, int], float] = {}
        trainers = [
            threading.Thread(target=pretend_to_train, args=(stack, one, reported)) for one in claims
        ]
        since = time.time() + WARM_UP_S
        for trainer in trainers:
            trainer.start()
        for trainer in trainers:
            trainer.join()
        stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
        stack.wait_ended(comparison)
        painted: list[dict[str, Any]] = page.evaluate("window.__lossboard.points")
        rate = traffic.rate(since, max(reported.values()))
    own = [point for point in painted if point["key"] == PANEL]
    found = [
        point["painted"] / 1000 - reported[point["run"], point["step"]]
        for point in own
        if reported[point["run"], point["step"]] > since
    ]
    assert len(found) > 200, f"only {len(found)} points were seen to be painted"
    first = claims[0]["run"]
    seen = delays(
        {step: at for (run, step), at in reported.items() if run == first},
        newest((point["step"], point["painted"] / 1000) for point in own if point["run"] == first),
        since=since,
    )
    return Ours(found, Seen(seen, rate))


@contextmanager
def paused_workers(stack: Stack) -> Iterator[None]:
    """Stop the real slots, so that this program is the only worker."""
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
    with connect_to_broker(stack.broker_url, timeout=5.0) as client:
        sender = EventSender(client)
        reporter = StreamReporter(run["run"], run["attempt"], sender, Outbox())
        reporter.started(device="bench", total_steps=STEPS, steps_per_epoch=STEPS // 20)
        for step, values in paced():
            reported[run["run"], step] = time.time()
            reporter.points(step, values)
            if step % STEPS_A_SECOND == 0:
                reporter.mark_stored(beat(stack, run))
        reporter.ended("succeeded")

        def stored() -> bool:
            reporter.mark_stored(beat(stack, run))
            return bool(stack.get(f"/runs/{run['run']}")["state"] == "succeeded")

        until(stored, f"the end of {run['run']}")
        sender.close()


def beat(stack: Stack, run: dict[str, Any]) -> int:
    """Send a heartbeat. Returns the number of the last stored event."""
    body = {"attempt": run["attempt"], "worker": "bench"}
    return int(internal(stack, f"runs/{run['run']}/heartbeat", body).json()["committed_seq"])


def submit_to_first_point(stack: Stack, page: Page) -> float:
    """Return the seconds from the click to the first point on the screen."""
    page.goto(f"{stack.ui_url}/new?preset=digits")
    button = page.get_by_role("button", name="Start comparison")
    button.wait_for()
    until(lambda: any(w["state"] == "idle" for w in stack.get("/workers")["workers"]), "a slot")
    time.sleep(6)  # a person fills in the form meanwhile; trainers get warm
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
