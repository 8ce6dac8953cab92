"""Streamlit's own charts of 14 runs of 10,000 steps, for benchmarks/pages.py."""

import math
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.live_peers import serving
from tests.support.ports import free_ports

RUNS, STEPS = 14, 10_000
CHARTS: Final = {
    "st.plotly_chart": (
        "/?chart=plotly",
        ".js-plotly-plot .scatterlayer .trace:nth-child(14), .js-plotly-plot canvas",
    ),
    "st.line_chart": ("/?chart=line", "[data-testid='stVegaLiteChart'] canvas"),
}
"""Peer -> the path of its page, and what is there once it is drawn."""

NOTE: Final = (
    "A Streamlit page has this one chart of one metric, ours all panels of the comparison. "
    "TensorBoard and trackio are not measured here, except for what sections *live* and *tracking* "
    "say of them; TensorBoard and Streamlit's charts have no lasso over linked panels."
)


@contextmanager
def streamlit_page(folder: Path) -> Iterator[str]:
    """Serve the page. Gives its address."""
    file = folder / "points.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE point (run TEXT, step INTEGER, value REAL)")
        connection.executemany("INSERT INTO point VALUES (?, ?, ?)", points())
    [port] = free_ports(1)
    app = str(Path(__file__).parent / "peers" / "streamlit_page.py")
    command = [sys.executable, "-m", "streamlit", "run", app, "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    address = f"http://127.0.0.1:{port}"
    with serving([*command, "--", str(file)], folder, f"{address}/_stcore/health"):
        yield address


def points() -> Iterator[tuple[str, int, float]]:
    """Run, step and value of falling curves."""
    for run in range(RUNS):
        for step in range(1, STEPS + 1):
            yield f"run {run}", step, math.exp(-step / 3000) + 0.05 * math.sin(step * (run + 3))
