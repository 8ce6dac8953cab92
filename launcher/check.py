"""`python -m launcher check`: report what is missing or wrong, without starting anything."""

import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from launcher.console import BrokerError
from launcher.machine import (
    broker_binary,
    cores,
    gpu_count,
    port_problem,
    room_warning,
    worker_slots,
)
from launcher.options import Options
from launcher.processes import plan
from launcher.processes.settings import setting_problems

PYTHONS = ((3, 11), (3, 14))
"""The oldest and the newest version for which all packages exist as wheels."""
PACKAGES = (
    *("pydantic", "numpy", "scipy", "pillow", "pyarrow", "h5py"),
    *("fastapi", "uvicorn", "sqlmodel", "alembic", "redis", "celery", "psycopg"),
    *("prometheus-client", "python-multipart", "httpx", "torch", "torchvision", "scikit-learn"),
    *("threadpoolctl", "librosa", "nvidia-ml-py", "psutil", "safetensors", "openTSNE", "pacmap"),
    "tokenizers",
    *("optuna", "streamlit", "pandas", "plotly", "cachetools", "jinja2", "typst"),
)
"""Packages that `make run` installs on every platform."""

Finding = tuple[bool | None, str]
"""Whether it is there, None for a warning; and the text to print."""
LABELS = {True: "ok     ", False: "PROBLEM", None: "WARNING"}


def report(options: Options) -> tuple[list[str], bool]:
    """Return the lines to print, and whether everything needed is there."""
    findings = [
        *_python(),
        *_packages(),
        *_broker(),
        *_ports(options),
        *_data_folder(options.data_dir),
        *_settings(options),
        *_slots(options),
    ]
    lines = [f"{LABELS[fine]} {text}" for fine, text in findings]
    return lines, all(fine is not False for fine, _ in findings)


def _python() -> Iterator[Finding]:
    shown = ".".join(map(str, sys.version_info[:3]))
    oldest, newest = PYTHONS
    fine = oldest <= sys.version_info[:2] <= newest
    yield fine, f"Python {shown}" + ("" if fine else "; 3.11 to 3.14 are supported")


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield True, f"{name} {version(name)}"
        except PackageNotFoundError:
            yield False, f"{name}: not installed; run `make run`"


def _broker() -> Iterator[Finding]:
    if os.environ.get("REDIS_URL"):
        yield True, "broker: REDIS_URL is set, no embedded one is started"
        return
    try:
        yield True, f"broker: {broker_binary()}"
    except BrokerError as error:
        yield False, f"broker: {error}"


def _ports(options: Options) -> Iterator[Finding]:
    for port in plan.required_ports(options, embedded=not os.environ.get("REDIS_URL")):
        problem = port_problem(port)
        yield problem is None, problem or f"port {port.number} is free ({port.owner})"


def _data_folder(folder: Path) -> Iterator[Finding]:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            yield True, f"data folder {folder} can be written"
    except OSError as error:
        yield False, f"data folder {folder} cannot be written: {error.strerror}"
    if warning := room_warning(folder):
        yield None, warning


def _settings(options: Options) -> Iterator[Finding]:
    problems = setting_problems(options, os.environ)
    yield from ((False, problem) for problem in problems)
    if not problems:
        yield True, "all settings can be used"


def _slots(options: Options) -> Iterator[Finding]:
    slots = worker_slots(options.workers, gpu_count(), cores())
    yield True, f"{len(slots)} worker slot(s) on {slots[0].device}, {cores()} cores"
