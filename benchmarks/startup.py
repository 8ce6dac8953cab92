"""From nothing to a finished demo: the launcher's start, and the first comparison's time.

Run as `python -m benchmarks.startup`. Nothing else should load the machine.
"""

import tempfile
import time
from pathlib import Path

from benchmarks.report import Row, report
from tests.support.stack import running_stack

READY_S, DEMO_S = 6.0, 25.0
"""What was asked for, on two CPU cores."""


def main() -> None:
    """Start the product on an empty folder and wait for its demo to end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with running_stack(Path(folder) / "data") as stack:
            ready = time.monotonic() - began
            [demo] = stack.get("/comparisons")["comparisons"]
            runs = stack.wait_ended(demo["id"], timeout=300)
            took = time.monotonic() - began - ready
    failed = [run for run in runs if run["state"] != "succeeded"]
    assert not failed, failed
    report(
        [
            Row("startup", "launcher up, all ready", ready, "s", 1, READY_S, "goal"),
            Row("startup", "demo: 2 arms x 3 seeds x 20 epochs", took, "s", 1, DEMO_S, "goal"),
        ]
    )


if __name__ == "__main__":
    main()
