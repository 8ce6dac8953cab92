"""What a run is trained on, and what it uses of its machine."""

import os
import platform
import resource
import socket
import sys
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from contract.events import Usage

LIBRARIES: Final = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "timm",
    "librosa",
    "pyarrow",
)
"""Libraries that numbers may depend on; those that are not installed are left out."""
_ROOT: Final = Path(__file__).resolve().parents[2]
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes of the unit in which the system counts the memory of a process."""


@cache
def environment() -> dict[str, str]:
    """Return host, system, processor, Python, libraries, and the commit where it is known."""
    found = {
        "host": socket.gethostname(),
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": str(os.cpu_count() or "unknown"),
        "python": platform.python_version(),
    }
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if commit := commit_of(_ROOT):
        found["commit"] = commit
    return found


def commit_of(root: Path) -> str:
    """Return the commit that is checked out in a folder; "" where it is no git checkout."""
    try:
        git = root / ".git"
        if git.is_file():  # a worktree, whose folder lies elsewhere
            git = root / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head
        name = head.removeprefix("ref:").strip()
        common = git / "commondir"
        shared = git / common.read_text(encoding="utf-8").strip() if common.exists() else git
        loose = shared / name
        if loose.exists():
            return loose.read_text(encoding="utf-8").strip()
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next(line.split()[0] for line in packed if line.endswith(f" {name}"))
    except (OSError, UnicodeDecodeError, StopIteration):
        return ""


class UsageMeter:
    """Measures one attempt; create it at the claim."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._cpu_before = time.process_time()
        self._batch_size = 0
        self._steps = 0
        self._trained_s = 0.0

    def started(self, batch_size: int) -> None:
        """Note how many items a step trains; 0 where that is not known."""
        self._batch_size = batch_size

    def trained(self, steps: int, seconds: float) -> None:
        """Note how many steps the run has done in how many seconds, without measuring."""
        self._steps, self._trained_s = steps, seconds

    def read(self) -> Usage:
        """Return what was used until now."""
        items = self._batch_size * self._steps
        return Usage(
            seconds=time.monotonic() - self._began,
            cpu_seconds=time.process_time() - self._cpu_before,
            memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
            samples_per_s=items / self._trained_s if items and self._trained_s > 0 else None,
        )


def _processor() -> str:
    """Return the name of the processor, as Linux lists it; elsewhere its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.machine()
