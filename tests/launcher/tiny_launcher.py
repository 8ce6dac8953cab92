"""A launcher of small HTTP servers instead of the product, started as a program by the tests.

Arguments: `PORT:KIND` for each server, a stage of its own each. Kinds: plain; stubborn ignores
SIGTERM; broken ends at once; parent has a child of its own in its group.
"""

import asyncio
import os
import sys
from pathlib import Path

from launcher.__main__ import guarded
from launcher.console import say
from launcher.options import Options
from launcher.processes.plan import Plan, Process, http
from launcher.up import supervise

SERVE = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
BEFORE = {
    "plain": "",
    "stubborn": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ",
    "broken": "raise SystemExit('no reason given'); ",
    "parent": "import subprocess; subprocess.Popen(['sleep', '1000']); ",
}


def server(port: str, kind: str) -> Process:
    """One small server."""
    program = BEFORE[kind] + SERVE.format(port=port)
    command = (sys.executable, "-c", program)
    return Process(port, kind, command, os.environ, http(f"http://127.0.0.1:{port}/LICENSE"))


def main() -> None:
    """Start the servers and stay, as `up` does."""
    stages = tuple((server(*argument.split(":")),) for argument in sys.argv[1:])
    made = Plan(stages, "http://127.0.0.1:9", "http://127.0.0.1:9")
    options = Options(data_dir=Path(), browser=False, demo=False)
    sys.exit(guarded(lambda: asyncio.run(supervise(made, options, say))))


if __name__ == "__main__":
    main()
