"""Other live pages for benchmarks/live.py: Streamlit's own chart, and TensorBoard's reload.

Both see the same steps at the same pace as ours. A step counts as seen with the frame in which it,
or a newer one, is drawn; of TensorBoard with the second frame after the answer that holds it.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import httpx
from playwright.sync_api import Browser, Error, Page

from benchmarks.live_page import Painted, Traffic, delays, watched
from benchmarks.peers.environment import MISSING, PYTHON, ROOT, surroundings
from benchmarks.peers.pace import PANEL, STEPS, paced
from tests.support.ports import free_ports
from tests.support.waiting import until

WARM_UP_S: Final = 5.0
"""Steps handed over before that are not counted: a page may still be loading."""
PERIODS_S: Final = (1.0, 0.25)
"""Of the Streamlit page's fragment."""
RELOAD_S: Final = 30
"""TensorBoard's page asks again that often, once that is turned on; it takes no shorter period."""

START_MS: Final = 90_000
"""A first chart may take that long on a busy machine."""
FAULTS: Final = (FileNotFoundError, TimeoutError, ConnectionError, Error)
"""What a peer's absence, end or silence raises here, and in the browser."""

NOTE: Final = (
    "TensorBoard's page reloads only once that is turned on, and takes no period below "
    f"{RELOAD_S} s; its server then looks every 5 s. *Pressed* is the best that could be had of "
    "it: a server that looks every second and a script that presses the page's reload button. "
    "A busy core stands for the trainer, for ours and the peers alike; a peer's page has this one "
    "chart, ours all panels of a comparison. Bytes are those of the answers and messages that "
    "reach a page once it is open."
)

_STREAMLIT: Final = """
window.__painted = [];
const look = () => {
  const x = document.querySelector(".js-plotly-plot")?._fullData?.[0]?.x;
  const step = x?.length ? x[x.length - 1] : 0;
  const [last] = window.__painted.at(-1) ?? [0];
  if (step > last) window.__painted.push([step, Date.now() / 1000]);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
TENSORBOARD_SCRIPT: Final = """
window.__painted = [];
localStorage.setItem("_tb_global_settings", JSON.stringify({ autoReload: true }));
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...body) {
  this.addEventListener("load", () => {
    if (!this.responseURL.endsWith("/timeSeries")) return;
    const answer = typeof this.response === "string" ? JSON.parse(this.response) : this.response;
    const runs = answer.flatMap((one) => Object.values(one.runToSeries ?? {}));
    const step = Math.max(0, ...runs.flat().map((point) => point.step));
    const painted = () => {
      const [last] = window.__painted.at(-1) ?? [0];
      if (step > last) window.__painted.push([step, Date.now() / 1000]);
    };
    requestAnimationFrame(() => requestAnimationFrame(painted));
  });
  return send.apply(this, body);
};
"""
_PRESS: Final = """
setInterval(() => document.querySelector("button.reload-button")?.click(), 1000);
"""


class Seen(NamedTuple):
    """What one viewer saw of a run."""

    delays: list[float]
    """Seconds from handing over to the screen, of each counted step."""
    rate: float
    """Bytes a second that the page received meanwhile."""


def all_seen(browser: Browser, folder: Path) -> dict[str, Seen | str]:
    """What a viewer of each peer saw, or why that was not measured."""
    reload = (f"tensorboard, reload every {RELOAD_S} s", "tensorboard, reload pressed every 1 s")
    found: dict[str, Seen | str] = {}
    for period in PERIODS_S:
        name = f"streamlit fragment every {period:g} s"
        try:
            found[name] = streamlit(browser, folder, period)
        except FAULTS as error:
            found[name] = reason(error)
    try:
        found.update(zip(reload, tensorboard(browser, folder), strict=True))
    except FAULTS as error:
        found.update(dict.fromkeys(reload, reason(error)))
    return found


def reason(error: BaseException) -> str:
    """Why a peer was not measured, in a line."""
    if isinstance(error, FileNotFoundError):
        return MISSING
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def streamlit(browser: Browser, folder: Path, every_s: float) -> Seen:
    """A chart in a fragment that runs again so often."""
    file = folder / f"series-{every_s}.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE point (series TEXT, step INTEGER, value REAL, "
            "PRIMARY KEY (series, step)) WITHOUT ROWID"
        )
    [port] = free_ports(1)
    app = str(Path(__file__).parent / "peers" / "streamlit_app.py")
    command = [sys.executable, "-m", "streamlit", "run", app, "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    command += ["--", str(file), str(every_s)]
    address = f"http://127.0.0.1:{port}"
    with (
        serving(command, folder, f"{address}/_stcore/health"),
        viewer(browser, _STREAMLIT) as (page, traffic),
    ):
        page.goto(address)
        page.locator(".js-plotly-plot").wait_for()
        handed: dict[int, float] = {}
        writer = threading.Thread(target=_store, args=(file, handed))
        writer.start()
        writer.join()
        return _seen(page, traffic, handed)


def tensorboard(browser: Browser, folder: Path) -> tuple[Seen, Seen]:
    """Two viewers of one run: one of TensorBoard as it comes, its page's reload turned on, and one
    whose server looks every second and whose reload button is pressed every second.

    Raises:
        FileNotFoundError: TensorBoard's environment is not there.
        ConnectionError: its process ended.
    """
    log = folder / "events"
    writing = [str(PYTHON), "-m", "benchmarks.peers.tensorboard_run", str(log)]
    with (
        subprocess.Popen(
            writing,
            cwd=ROOT,
            env=surroundings(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer,
        tensorboard_server(log, folder, 5) as slow,
        tensorboard_server(log, folder, 1) as fast,
        viewer(browser, TENSORBOARD_SCRIPT) as (left, left_traffic),
        viewer(browser, TENSORBOARD_SCRIPT + _PRESS) as (right, right_traffic),
    ):
        assert writer.stdout is not None
        if writer.stdout.readline() != "ready\n":
            raise ConnectionError("its writer ended, as it does where it is not installed")
        for page, address in ((left, slow), (right, fast)):
            page.goto(f"{address}/?tagFilter={PANEL}#timeseries")
            page.locator("scalar-card, card-view").first.wait_for()
        printed, _ = writer.communicate("go\n", timeout=STEPS)
        handed: dict[int, float] = dict(json.loads(printed))
        return _seen(left, left_traffic, handed), _seen(right, right_traffic, handed)


@contextmanager
def viewer(browser: Browser, script: str) -> Iterator[tuple[Page, Traffic]]:
    """A page of its own in which the script runs first, and what reaches it."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(START_MS)
    try:
        page.add_init_script(f"{{ {script} }}")
        with watched(page) as traffic:
            yield page, traffic
    finally:
        page.close()


@contextmanager
def serving(
    command: Sequence[str], folder: Path, probe: str, *, cwd: Path | None = None
) -> Iterator[None]:
    """A peer's server, from its first answer on; it starts in the folder unless told otherwise."""
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=cwd or folder, env=surroundings(folder), stdout=log, stderr=log
        )
    try:
        until(lambda: _answers(probe, process), f"an answer of {command[2]}")
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def tensorboard_server(log: Path, folder: Path, interval: int) -> Iterator[str]:
    """Serve the event files of a folder, looking for new ones every so many seconds. Gives its
    address."""
    [port] = free_ports(1)
    command = [str(PYTHON), "-m", "tensorboard.main", "--logdir", str(log), "--port", str(port)]
    command += ["--host", "127.0.0.1", "--reload_interval", str(interval)]
    address = f"http://127.0.0.1:{port}"
    with serving(command, folder, address):
        yield address


def _answers(probe: str, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise ConnectionError(f"it ended with exit code {process.returncode}")
    try:
        return httpx.get(probe).is_success
    except httpx.TransportError:
        return False


def _store(file: Path, handed: dict[int, float]) -> None:
    """Put a run into a table, a commit a step."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        for step, values in paced():
            handed[step] = time.time()
            with connection:
                connection.executemany(
                    "INSERT INTO point VALUES (?, ?, ?)",
                    [(key, step, value) for key, value in values.items()],
                )


def _seen(page: Page, traffic: Traffic, handed: Mapping[int, float]) -> Seen:
    """Wait until the last step is on the screen."""
    last = max(handed)
    page.wait_for_function(
        "last => (window.__painted.at(-1) ?? [0])[0] >= last",
        arg=last,
        timeout=(RELOAD_S + 10) * 1000,
    )
    painted: Painted = page.evaluate("window.__painted")
    since = min(handed.values()) + WARM_UP_S
    return Seen(delays(handed, painted, since=since), traffic.rate(since, painted[-1][1]))
