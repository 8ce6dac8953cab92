"""The plan of what to start: command line, environment and readiness probe of each process.

A probe is a Redis PING, an HTTP GET, or a look at the API's list of workers.
"""

import asyncio
import json
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.machine import Port, Slot
from launcher.options import NO_TOKEN, LauncherToken, Options, without_tokens
from launcher.processes import broker

ReadyProbe = Callable[[], Awaitable[bool]]
"""Asks a process once whether it is ready; returns False while the process is not there yet."""

ROOT = Path(__file__).resolve().parents[2]
"""The repository, in which every process runs."""

ANSWER_TIMEOUT_S = 2.0
"""Seconds that one probe may take."""


@dataclass(frozen=True)
class ProcessSpec:
    """One process to start."""

    name: str
    where: str
    """Address or device, shown in the line that announces the process."""
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: ReadyProbe
    hidden: tuple[str, ...] = ()
    """Log lines that contain one of these are not printed."""


@dataclass(frozen=True)
class Plan:
    """All processes in stages: a stage starts when the previous one is ready."""

    stages: tuple[tuple[ProcessSpec, ...], ...]
    api_url: str
    ui_url: str
    """Where a browser opens the dashboard, with the base path."""


def required_ports(options: Options, *, embedded: bool) -> list[Port]:
    """Return every named address on which a process will listen.

    Args:
        options: ports and host.
        embedded: whether the launcher starts a broker of its own.
    """
    ports = [
        Port("API", options.host, options.api_port, "--api-port"),
        Port("dashboard", options.host, options.ui_port, "--ui-port"),
    ]
    if embedded and options.broker_port is not None:
        ports.append(Port("broker", broker.HOST, options.broker_port, "--broker-port"))
    return ports


def build_plan(
    options: Options,
    *,
    slots: list[Slot],
    threads: int,
    token: str,
    broker_binary: Path | None,
    environ: Mapping[str, str],
    launcher_token: LauncherToken = NO_TOKEN,
) -> Plan:
    """Build the plan for these options.

    Args:
        options: what to start and where.
        slots: the worker slots.
        threads: CPU threads per trainer, unless the environment sets them.
        token: the secret with which workers sign in at the API.
        broker_binary: path of the broker's binary; None where REDIS_URL names a broker.
        environ: environment of the launcher, passed on to the processes.
        launcher_token: the token with which the launcher calls the API.
    """
    api_url = _url(options.host, options.api_port)
    ui_url = _url(options.host, options.ui_port)
    datasets = Path(environ.get("LOSSBOARD_DATASETS_DIR") or options.data_dir / "datasets")
    base = {
        **without_tokens(environ),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "LOSSBOARD_DATA_DIR": str(options.data_dir),
        "LOSSBOARD_DATASETS_DIR": str(datasets.absolute()),
        "LOSSBOARD_API_URL": api_url,
        "LOSSBOARD_HOST": options.host,
    }
    secret = {"LOSSBOARD_WORKER_TOKEN": token}
    between = {"LOSSBOARD_UI_SECRET": secrets.token_urlsafe(32)}
    dashboard = f"{ui_url}{environ.get('LOSSBOARD_BASE_PATH', '')}"
    for_api = {
        **launcher_token.api_environment(environ),
        "LOSSBOARD_PUBLIC_URL": environ.get("LOSSBOARD_PUBLIC_URL") or dashboard,
    }
    stages: list[tuple[ProcessSpec, ...]] = []
    if broker_binary:
        port = options.broker_port or broker.free_port()
        password = broker.password(options.data_dir)
        stages.append((_broker(options, broker_binary, port, password, without_tokens(environ)),))
        secret["REDIS_URL"] = broker.url(port, password)
    else:
        secret["REDIS_URL"] = environ["REDIS_URL"]
    stages += [
        (_api(options, {**base, **secret, **between, **for_api}, api_url),),
        (
            *(
                _worker(slot, threads, {**base, **secret}, api_url, launcher_token.headers)
                for slot in slots
            ),
            _projector({**base, **secret}),
            _ui(options, {**base, **between}, ui_url),
        ),
    ]
    return Plan(tuple(stages), api_url, dashboard)


def _broker(
    options: Options, binary: Path, port: int, password: str, environ: Mapping[str, str]
) -> ProcessSpec:
    config = broker.write_config(options.data_dir, port, password)
    return ProcessSpec(
        "broker",
        f"{broker.HOST}:{port}",
        (str(binary), broker.path_argument(config)),
        environ,
        broker.probe(port, password, ANSWER_TIMEOUT_S),
        hidden=broker.START_NOISE,
    )


def _api(options: Options, environment: Mapping[str, str], url: str) -> ProcessSpec:
    command = (
        *(sys.executable, "-m", "uvicorn", "backend.app:create_app", "--factory"),
        *("--host", options.host, "--port", str(options.api_port)),
        *("--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"),
        "--no-proxy-headers",  # the API itself looks whom it may believe them
        # Longer than clients keep an idle connection: a request that comes just as the server
        # closes the connection gets no answer.
        *("--timeout-keep-alive", "75"),
    )
    return ProcessSpec("api", url, command, environment, http_probe(f"{url}/api/v1/health/live"))


def _worker(
    slot: Slot,
    threads: int,
    environment: Mapping[str, str],
    api_url: str,
    headers: Mapping[str, str],
) -> ProcessSpec:
    variables = {
        "LOSSBOARD_WORKER_NAME": slot.name,
        "LOSSBOARD_DEVICE": slot.device,
        "LOSSBOARD_TORCH_THREADS": environment.get("LOSSBOARD_TORCH_THREADS", str(threads)),
        "LOSSBOARD_DRAIN_S": "0",  # the launcher itself does not wait for a run to end
        "REMAP_SIGTERM": "SIGQUIT",  # one SIGTERM ends the slot at once instead of after its run
    }
    if slot.gpu is not None:
        variables["CUDA_VISIBLE_DEVICES"] = str(slot.gpu)
    command = (
        *(sys.executable, "-m", "celery", "-q", "-A", "worker.celery_app", "worker"),
        *("--pool", "prefork", "--concurrency", "1", "-Q", f"lossboard.{slot.device}"),
        *("--hostname", f"{slot.name}@%h", "--without-gossip", "--without-mingle"),
        *("--loglevel", "WARNING"),
    )
    where = slot.device if slot.gpu is None else f"{slot.device}:{slot.gpu}"
    ready = worker_probe(api_url, slot.name, headers)
    return ProcessSpec(slot.name, where, command, {**environment, **variables}, ready)


def _projector(environment: Mapping[str, str]) -> ProcessSpec:
    """Return the process that computes embedding views, so that they never take a worker slot."""
    variables = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = (sys.executable, "-m", "worker.projection")
    return ProcessSpec("projector", "cpu", command, {**environment, **variables}, always_ready)


def _ui(options: Options, environment: Mapping[str, str], url: str) -> ProcessSpec:
    command = (
        *(sys.executable, "-m", "streamlit", "run", "frontend/app.py"),
        *("--server.address", options.host, "--server.port", str(options.ui_port)),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *("--logger.level", "warning", "--logger.hideWelcomeMessage", "true"),
    )
    # Else the server would believe every process of this machine which address it calls from.
    variables = {"FORWARDED_ALLOW_IPS": ""}
    return ProcessSpec(
        "ui", url, command, {**environment, **variables}, http_probe(f"{url}/_stcore/health")
    )


def _url(host: str, port: int) -> str:
    """Return the URL at which processes on this machine reach a host and port.

    A host that means all interfaces is reached by its loopback address.
    """
    loopback = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    reachable = loopback.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{reachable}:{port}"


def get_json(
    url: str,
    *,
    post: object = None,
    timeout_s: float = ANSWER_TIMEOUT_S,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """GET a URL, or POST an object to it, and decode the JSON answer; blocks.

    Raises:
        OSError: no answer, or an error status (urllib.error.HTTPError).
        ValueError: the answer is not JSON.
    """
    body = None if post is None else json.dumps(post).encode()
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, body, all_headers)
    with _OPENER.open(request, timeout=timeout_s) as answer:
        return json.loads(answer.read())


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


def http_probe(url: str) -> ReadyProbe:
    """Return a probe that is true once a GET is answered with a 2xx status."""

    def ask() -> bool:
        try:
            with _OPENER.open(url, timeout=ANSWER_TIMEOUT_S):
                return True
        except OSError:
            return False

    return lambda: asyncio.to_thread(ask)


def worker_probe(api_url: str, name: str, headers: Mapping[str, str]) -> ReadyProbe:
    """Return a probe that is true once the API lists the worker and does not call it lost.

    Args:
        api_url: where the API is.
        name: the worker's name.
        headers: headers of the call, with the launcher's token where there is a sign-in.
    """

    def ask() -> bool:
        try:
            workers = get_json(f"{api_url}/api/v1/workers", headers=headers)["workers"]
        except (OSError, ValueError):
            return False
        return any(row["name"] == name and row["state"] != "lost" for row in workers)

    return lambda: asyncio.to_thread(ask)


async def always_ready() -> bool:
    """Return True: for a process that no other process waits for."""
    return True
