"""A launcher of small HTTP servers instead of the product, which tests start as a program.

Arguments: `PORT:KIND` for each server; each is a stage. Kinds: plain; stubborn ignores
SIGTERM; broken ends at once; parent has a child in its group.
"""

import asyncio
import os
import sys
from pathlib import Path

from launcher.__main__ import run_reporting_errors
from launcher.console import print_line
from launcher.options import Options
from launcher.processes.plan import Plan, ProcessSpec, http_probe
from launcher.up import supervise

SERVE = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
PREPARE = {
    "plain": "",
    "stubborn": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ",
    "broken": "raise SystemExit('no reason given'); ",
    "parent": "import subprocess; subprocess.Popen(['sleep', '1000']); ",
}


def server(port: str, kind: str) -> ProcessSpec:
    """Return the process of one small server."""
    program = PREPARE[kind] + SERVE.format(port=port)
    command = (sys.executable, "-c", program)
    return ProcessSpec(
        port, kind, command, os.environ, http_probe(f"http://127.0.0.1:{port}/LICENSE")
    )


def main() -> None:
    """Start the servers and run until a signal comes, as `up` does."""
    stages = tuple((server(*argument.split(":")),) for argument in sys.argv[1:])
    plan = Plan(stages, "http://127.0.0.1:9", "http://127.0.0.1:9")
    options = Options(data_dir=Path(), browser=False, demo=False)
    sys.exit(run_reporting_errors(lambda: asyncio.run(supervise(plan, options, print_line))))


if __name__ == "__main__":
    main()
