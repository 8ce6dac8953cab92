"""The settings of all processes, checked before the first of them starts.

Each package knows its own, so each is asked by a process of its own; the three run side by side.
"""

import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from launcher.options import Options
from launcher.processes.plan import ROOT

MODULES: Final = ("backend.settings", "worker.settings", "frontend.settings")
"""Run as a program, each prints a line for each of its problems and ends with status 1."""


def setting_problems(options: Options, environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that is wrong or no setting; blocks for half a second."""
    given_later = {
        "REDIS_URL": "redis://127.0.0.1",
        "LOSSBOARD_API_URL": "http://127.0.0.1",
        "LOSSBOARD_WORKER_TOKEN": "made at the start",
    }
    environment = {
        **given_later,
        **{name: value for name, value in environ.items() if value},
        "LOSSBOARD_DATA_DIR": str(options.data_dir),
        "PYTHONPATH": str(ROOT),
    }
    asked = [
        subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for module in MODULES
    ]
    lines: dict[str, None] = {}  # a set that keeps the order: two processes may find the same
    for module, process in zip(MODULES, asked, strict=True):
        _, said = process.communicate()
        if process.returncode:
            lines.update(dict.fromkeys(_problems(module, said)))
    return list(lines)


def _problems(module: str, said: str) -> list[str]:
    lines = [line for line in said.splitlines() if line.strip()]
    if "Traceback" in said or not lines:  # a package is missing, for example
        return [f"{module} does not run: {lines[-1] if lines else 'it gave no reason'}"]
    return lines
