"""Other pages with the curves of 14 runs of 10,000 steps, for benchmarks/pages.py: Streamlit's own
charts, TensorBoard and trackio. Each is served alone and has a page of its own in the browser.

A chart counts as drawn: of Plotly when its last curve's path has an extent, of Vega when its canvas
has a coloured pixel, of TensorBoard with the second frame after the answer that holds all points.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Error, Page

from benchmarks.live_peers import (
    FAULTS,
    START_MS,
    TENSORBOARD_SCRIPT,
    reason,
    serving,
    tensorboard_server,
)
from benchmarks.page_actions import points_at, seconds_to
from benchmarks.peers.curves import PROJECT, RUNS, STEPS, TAG, curves
from benchmarks.peers.environment import PYTHON, ROOT, surroundings
from tests.support.browser import new_page
from tests.support.ports import free_ports

HOVER_MS: Final = 5_000
"""The values beside the mouse have come by then, or the chart has none there."""

_COLOURED: Final = """() => [...document.querySelectorAll("canvas")].some((canvas) => {
  if (!canvas.width || !canvas.height) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.subarray(at, at + 4);
    if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) return true;
  }
  return false;
})"""
_TRACED: Final = f"""() => {{
  const paths = document.querySelectorAll(".js-plotly-plot .scatterlayer .trace path.js-line");
  return paths.length === {RUNS} && paths[{RUNS - 1}].getBoundingClientRect().width > 0;
}}"""
_ANSWERED: Final = f"() => (window.__painted.at(-1) ?? [0])[0] >= {STEPS}"
_HOVER: Final = """
window.__hover = [];
let [began, last] = [0, ""];
addEventListener("mousemove", (event) => { began ||= event.timeStamp; }, true);
const look = () => {
  const text = document.querySelector(TOLD)?.textContent ?? "";
  if (began && text && text !== last) {
    const [from, channel] = [began, new MessageChannel()];
    [began, last] = [0, text];
    channel.port1.onmessage = () => window.__hover.push(performance.now() - from);
    channel.port2.postMessage(null);
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""

NOTE: Final = (
    "A peer's page has one chart of one metric, ours all panels of the comparison; hover tells "
    "the values in all of them. Streamlit's charts get all 10,000 points of each run; "
    "TensorBoard's gets 1,000 and trackio's 3,000, as they come; ours gets means and extremes of "
    "ranges of steps. Plotly and TensorBoard tell the values of all runs at the mouse, Vega "
    "(st.line_chart, trackio) those of the nearest point. None of them marks the samples of a "
    "lasso in other charts by itself, or projects a snapshot on a page that is open."
)


class Kind(NamedTuple):
    """How a page shows the curves."""

    drawn: str
    """JavaScript: whether all of them are on the screen."""
    plot: str
    """Selector of what the mouse moves over."""
    told: str
    """Selector of the values beside the mouse."""
    script: str = ""
    """Runs in the page first."""


KINDS: Final = {
    "st.plotly_chart": (
        "/?chart=plotly",
        Kind(_TRACED, ".js-plotly-plot .nsewdrag", ".hoverlayer"),
    ),
    "st.line_chart": (
        "/?chart=line",
        Kind(_COLOURED, "[data-testid='stVegaLiteChart'] canvas", "#vg-tooltip-element"),
    ),
    "tensorboard": (
        f"/?tagFilter={TAG}#timeseries",
        Kind(
            *(_ANSWERED, "scalar-card line-chart .series-view", ".tooltip-container"),
            TENSORBOARD_SCRIPT,
        ),
    ),
    "trackio": (
        f"/?project={PROJECT}",
        Kind(_COLOURED, "canvas.marks", "#vg-tooltip-element"),
    ),
}
"""Name -> path of its page, and how that shows the curves."""


class Peer:
    """A page of another product in the browser."""

    def __init__(self, page: Page, address: str, kind: Kind) -> None:
        self.page = page
        self._address = address
        self._kind = kind
        page.set_default_timeout(START_MS)
        script = kind.script + _HOVER.replace("TOLD", repr(kind.told))
        page.add_init_script(f"{{ {script} }}")

    def load(self) -> float:
        """Return the seconds from the navigation until the curves are drawn."""
        return seconds_to(self.page, self._address, self._drawn)

    def leave(self) -> float:
        """Show nothing, so that the others have the machine; return 0."""
        self.page.goto("about:blank")
        return 0.0

    def hover(self, place: int) -> float:
        """Return the milliseconds from a move of the mouse until its values are told."""
        seen: int = self.page.evaluate("window.__hover.length")
        points_at(self.page, self.page.locator(self._kind.plot).first, place)
        self.page.wait_for_function(
            "seen => window.__hover.length > seen", arg=seen, timeout=HOVER_MS
        )
        found: float = self.page.evaluate("window.__hover.at(-1)")
        return found

    def _drawn(self, page: Page) -> None:
        page.wait_for_function(self._kind.drawn, polling=20)


Opened = Mapping[str, Peer | str]
"""By name; why it cannot be measured where that is so."""
Times = dict[str, list[float] | str]
"""By name; why there are none where that is so."""


@contextmanager
def peer_pages(own: Page, folder: Path) -> Iterator[Opened]:
    """Serve all from a new folder, and open an empty page for each beside our own."""
    browser = own.context.browser
    assert browser
    folder.mkdir()
    with ExitStack() as stack:
        found: dict[str, Peer | str] = {}
        for names, served in _SERVED.items():
            try:
                address = stack.enter_context(served(folder))
            except FAULTS as error:
                found.update(dict.fromkeys(names, reason(error)))
                continue
            for name in names:
                path, kind = KINDS[name]
                page = stack.enter_context(new_page(browser))
                found[name] = Peer(page, address + path, kind)
        yield found


def measure(peers: Opened, times: Times, figure: Callable[[Peer], float]) -> None:
    """Add one figure of each peer; one that fails has none any more, but the reason."""
    for name, peer in peers.items():
        if isinstance(peer, str):
            times[name] = peer
            continue
        kept = times.setdefault(name, [])
        if isinstance(kept, str):
            continue
        try:
            kept.append(figure(peer))
        except Error as error:
            times[name] = reason(error)


@contextmanager
def _streamlit(folder: Path) -> Iterator[str]:
    file = folder / "points.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE point (run TEXT, step INTEGER, value REAL)")
        for run, values in curves():
            rows = [(run, step, value) for step, value in enumerate(values, 1)]
            connection.executemany("INSERT INTO point VALUES (?, ?, ?)", rows)
    [port] = free_ports(1)
    app = str(Path(__file__).parent / "peers" / "streamlit_page.py")
    command = [sys.executable, "-m", "streamlit", "run", app, "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    address = f"http://127.0.0.1:{port}"
    with serving([*command, "--", str(file)], folder, f"{address}/_stcore/health"):
        yield address


@contextmanager
def _tensorboard(folder: Path) -> Iterator[str]:
    log = folder / "curves"
    writing = [str(PYTHON), "-m", "benchmarks.peers.tensorboard_page", str(log)]
    done = subprocess.run(writing, cwd=ROOT, env=surroundings(folder), check=False)
    if done.returncode:
        raise ConnectionError(f"its writer ended with exit code {done.returncode}")
    with tensorboard_server(log, folder, 5) as address:
        yield address


@contextmanager
def _trackio(folder: Path) -> Iterator[str]:
    [port] = free_ports(1)
    command = [str(PYTHON), "-m", "benchmarks.peers.trackio_page", str(port)]
    address = f"http://127.0.0.1:{port}"
    with serving(command, folder, f"{address}/version", cwd=ROOT):
        yield address


_SERVED: Final = {
    ("st.plotly_chart", "st.line_chart"): _streamlit,
    ("tensorboard",): _tensorboard,
    ("trackio",): _trackio,
}
"""Names of the pages that one server has."""
