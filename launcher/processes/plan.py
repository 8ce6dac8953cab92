"""What is started, with which command line and environment, and how each is known to be ready.

Whether a process answers: a Redis PING, an HTTP GET, or a row in the API's list of workers.
"""

import asyncio
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.machine import Port, Slot
from launcher.options import NOT_NEEDED, Entry, Options, without_tokens

Ready = Callable[[], Awaitable[bool]]
"""Asks once; never raises for a process that is not there yet."""

ANSWER_S = 2.0
"""How long one question may take."""


def get_json(
    url: str,
    *,
    post: object = None,
    wait_s: float = ANSWER_S,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """GET a URL, or POST an object to it, and decode the JSON answer; blocks.

    Raises:
        OSError: nobody answers, or with an error status (urllib.error.HTTPError).
        ValueError: the answer is not JSON.
    """
    body = None if post is None else json.dumps(post).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, body, sent)
    with _OPENER.open(request, timeout=wait_s) as answer:
        return json.loads(answer.read())


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


def http(url: str) -> Ready:
    """Ready once a GET is answered with a 2xx status."""

    def ask() -> bool:
        try:
            with _OPENER.open(url, timeout=ANSWER_S):
                return True
        except OSError:
            return False

    return lambda: asyncio.to_thread(ask)


def worker(api_url: str, name: str, headers: Mapping[str, str]) -> Ready:
    """Ready once the API, asked with these headers, counts the worker among the living."""

    def ask() -> bool:
        try:
            listed = get_json(f"{api_url}/api/v1/workers", headers=headers)["workers"]
        except (OSError, ValueError):
            return False
        return any(row["name"] == name and row["state"] != "lost" for row in listed)

    return lambda: asyncio.to_thread(ask)


async def at_once() -> bool:
    """Ready as soon as it is started: nothing waits for it."""
    return True


def ping(host: str, port: int) -> Ready:
    """Ready once a Redis server answers PONG; while it loads its journal it answers otherwise."""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(b"PING\r\n")
                    return (await reader.readline()).startswith(b"+PONG")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    return ask


ROOT = Path(__file__).resolve().parents[2]
"""The repository: every process runs there."""


@dataclass(frozen=True)
class Process:
    """One process to start."""

    name: str
    where: str
    """Address or device, for the line that announces it."""
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Ready


@dataclass(frozen=True)
class Plan:
    """All processes, in stages: a stage starts when the one before is ready."""

    stages: tuple[tuple[Process, ...], ...]
    api_url: str
    ui_url: str


def ports_of(options: Options, *, embedded: bool) -> list[Port]:
    """Every address that will be listened on."""
    ports = [
        Port("API", options.host, options.api_port, "--api-port"),
        Port("dashboard", options.host, options.ui_port, "--ui-port"),
    ]
    if embedded:
        ports.append(Port("broker", "127.0.0.1", options.broker_port, "--broker-port"))
    return ports


def make(
    options: Options,
    *,
    slots: list[Slot],
    threads: int,
    token: str,
    broker: Path | None,
    environ: Mapping[str, str],
    entry: Entry = NOT_NEEDED,
) -> Plan:
    """The plan for these options; `broker` None means that REDIS_URL names one; `entry` is what
    lets the launcher in."""
    api_url = _url(options.host, options.api_port)
    ui_url = _url(options.host, options.ui_port)
    own_broker = f"redis://127.0.0.1:{options.broker_port}/0"
    datasets = Path(environ.get("LOSSBOARD_DATASETS_DIR") or options.data_dir / "datasets")
    base = {
        **without_tokens(environ),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "LOSSBOARD_DATA_DIR": str(options.data_dir),
        "LOSSBOARD_DATASETS_DIR": str(datasets.absolute()),
        "LOSSBOARD_API_URL": api_url,
        "REDIS_URL": own_broker if broker else environ["REDIS_URL"],
    }
    secret = {"LOSSBOARD_WORKER_TOKEN": token}
    stages = [
        (_api(options, {**base, **secret, **entry.api_environment(environ)}, api_url),),
        (
            *(_worker(slot, threads, {**base, **secret}, api_url, entry) for slot in slots),
            _projector({**base, **secret}),
            _ui(options, base, ui_url),
        ),
    ]
    if broker:
        stages.insert(0, (_broker(options, broker, without_tokens(environ)),))
    return Plan(tuple(stages), api_url, ui_url)


def _broker(options: Options, binary: Path, environ: Mapping[str, str]) -> Process:
    folder = options.data_dir / "broker"
    folder.mkdir(exist_ok=True)
    settings = {
        "bind": "127.0.0.1",
        "port": str(options.broker_port),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    flags = [part for key, value in settings.items() for part in (f"--{key}", value)]
    return Process(
        "broker",
        f"127.0.0.1:{options.broker_port}",
        (str(binary), *flags),
        environ,
        ping("127.0.0.1", options.broker_port),
    )


def _api(options: Options, environment: Mapping[str, str], url: str) -> Process:
    command = (
        *(sys.executable, "-m", "uvicorn", "backend.app:create_app", "--factory"),
        *("--host", options.host, "--port", str(options.api_port)),
        *("--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"),
        # Longer than clients keep an idle connection: one that the server is just closing when a
        # request comes gives no answer.
        *("--timeout-keep-alive", "75"),
    )
    return Process("api", url, command, environment, http(f"{url}/api/v1/health/live"))


def _worker(
    slot: Slot, threads: int, environment: Mapping[str, str], api_url: str, entry: Entry
) -> Process:
    own = {
        "LOSSBOARD_WORKER_NAME": slot.name,
        "LOSSBOARD_DEVICE": slot.device,
        "LOSSBOARD_TORCH_THREADS": environment.get("LOSSBOARD_TORCH_THREADS", str(threads)),
        "LOSSBOARD_DRAIN_S": "0",  # the launcher itself waits for nobody that long
        "REMAP_SIGTERM": "SIGQUIT",  # one SIGTERM ends the slot at once instead of after its run
    }
    if slot.gpu is not None:
        own["CUDA_VISIBLE_DEVICES"] = str(slot.gpu)
    command = (
        *(sys.executable, "-m", "celery", "-q", "-A", "worker.celery_app", "worker"),
        *("--pool", "prefork", "--concurrency", "1", "-Q", f"lossboard.{slot.device}"),
        *("--hostname", f"{slot.name}@%h", "--without-gossip", "--without-mingle"),
        *("--loglevel", "WARNING"),
    )
    where = slot.device if slot.gpu is None else f"{slot.device}:{slot.gpu}"
    ready = worker(api_url, slot.name, entry.headers)
    return Process(slot.name, where, command, {**environment, **own}, ready)


def _projector(environment: Mapping[str, str]) -> Process:
    """Embedding views are worked out beside the trainings, never in a slot of theirs."""
    own = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = (sys.executable, "-m", "worker.projection")
    return Process("projector", "cpu", command, {**environment, **own}, at_once)


def _ui(options: Options, environment: Mapping[str, str], url: str) -> Process:
    command = (
        *(sys.executable, "-m", "streamlit", "run", "frontend/app.py"),
        *("--server.address", options.host, "--server.port", str(options.ui_port)),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *("--logger.level", "warning"),
    )
    return Process("ui", url, command, environment, http(f"{url}/_stcore/health"))


def _url(host: str, port: int) -> str:
    """How processes on this machine reach an address that may stand for all interfaces."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
        host, f"[{host}]" if ":" in host else host
    )
    return f"http://{reached}:{port}"
