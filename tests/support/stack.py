"""The whole product, started as a user does: the launcher and all its processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import httpx
import psutil
from celery import Celery

from contract.names import WAKE_TASK, wake_queue
from tests.support.ports import free_ports
from tests.support.waiting import until
from worker.projection.projector import NAME as PROJECTOR_NAME
from worker.slot.pipes import TEMPLATE_NAME, TRAINER_NAME

ROOT: Final = Path(__file__).resolve().parents[2]

PROCESSES: Final = {
    "broker": "valkey-server",
    "api": "uvicorn",
    "worker": "celery",
    "template": "worker.trainer",
    "trainer": "worker.trainer",
    "projector": "worker.projection",
    "ui": "streamlit",
}
"""Kind of process -> a word in its command line."""
NAMES: Final = {"template": TEMPLATE_NAME, "trainer": TRAINER_NAME, "projector": PROJECTOR_NAME}
"""Kind of process -> its name, where several kinds have the same command line."""
AT_REST: Final = PROCESSES.keys() - {"trainer"}
"""Kinds that run while no run is trained."""

Json = dict[str, Any]


class Stack:
    """A running product: its addresses, its API and its processes."""

    def __init__(
        self,
        launcher: psutil.Process,
        *,
        api_port: int,
        ui_port: int,
        broker_url: str | None,
        broker_port: int,
        data_dir: Path,
    ) -> None:
        self.launcher = launcher
        self.data_dir = data_dir
        self._broker_url = broker_url
        self._broker_port = broker_port
        self.ui_url = f"http://127.0.0.1:{ui_port}"
        self.api_url = f"http://127.0.0.1:{api_port}/api/v1"
        self.log = data_dir.with_suffix(".log")
        self.http = httpx.Client(base_url=self.api_url, timeout=60)

    @property
    def broker_url(self) -> str:
        """Address of the broker, with the password of the bundled one."""
        if self._broker_url:
            return self._broker_url
        password = (self.data_dir / "broker-password").read_text()
        return f"redis://:{password}@127.0.0.1:{self._broker_port}/0"

    def get(self, path: str, **params: Any) -> Json:
        """GET a path of the API; an API that is away or failing raises httpx.HTTPError."""
        answer = self.http.get(path, params=params)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    def submit(self, spec: Json) -> str:
        """Post a spec; return the id of the comparison."""
        answer = self.http.post("/comparisons", json=spec)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def runs(self, comparison: str) -> list[Json]:
        """Return the comparison's runs; none while the API is away."""
        try:
            runs: list[Json] = self.get(f"/comparisons/{comparison}/runs")["runs"]
        except httpx.HTTPError:
            return []  # killed on purpose; asked again until the deadline
        return runs

    def wait_steps(self, comparison: str, steps: int) -> list[Json]:
        """Wait until there are running runs and each of them has done `steps` steps."""

        def under_way() -> list[Json]:
            running = [run for run in self.runs(comparison) if run["state"] == "running"]
            return running if running and all(run["step"] >= steps for run in running) else []

        return until(under_way, f"step {steps} of {comparison}")

    def wait_ended(self, comparison: str, *, timeout: float = 90) -> list[Json]:
        """Wait until no run is queued or running."""

        def ended() -> list[Json]:
            runs = self.runs(comparison)
            over = all(run["state"] not in {"queued", "running"} for run in runs)
            return runs if runs and over else []

        return until(ended, f"the end of {comparison}", timeout=timeout)

    def series(self, run: str, key: str) -> tuple[list[int], list[float | None]]:
        """Return all points of one series, not downsampled."""
        [found] = self.get("/series", run=run, key=key, max_points=100_000)["series"]
        assert found["min"] is None
        return found["steps"], found["values"]

    def checkpoints(self) -> list[Path]:
        """Return the blobs that are checkpoints: archives with a pickle, as torch writes them. Kept
        embeddings are archives too."""
        blobs = (self.data_dir / "blobs").glob("??/*")
        return [path for path in blobs if path.is_file() and _written_by_torch(path)]

    def wake(self) -> None:
        """Deliver one more wake-up to the CPU slots."""
        with Celery(broker=self.broker_url) as celery:
            celery.send_task(WAKE_TASK, queue=wake_queue("cpu"), ignore_result=True)

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the running processes of one kind below this launcher."""
        word = PROCESSES[name]
        found = []
        for process in self.launcher.children(recursive=True):
            try:
                line, named = process.cmdline(), process.name()
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            if any(word in part for part in line) and NAMES.get(name, named) == named:
                found.append(process)
        return found

    def kill(self, name: str) -> None:
        """Kill every process of one kind with signal 9."""
        victims = self.processes(name)
        assert victims, f"no {name} to kill"
        for process in victims:
            process.kill()


@contextmanager
def running_stack(data_dir: Path, *flags: str, **environment: str) -> Iterator[Stack]:
    """Start the product on free ports, wait until it is ready, and stop it as a user would."""
    api_port, ui_port, broker_port = free_ports(3)
    log = data_dir.with_suffix(".log")
    command = [sys.executable, "-m", "launcher", "up", "--no-browser", "--data-dir", str(data_dir)]
    command += ["--api-port", str(api_port), "--ui-port", str(ui_port)]
    command += ["--broker-port", str(broker_port), *flags]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSBOARD_", "REDIS_"))}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, env={**clean, **environment}
        )
    stack = Stack(
        psutil.Process(process.pid),
        api_port=api_port,
        ui_port=ui_port,
        broker_url=environment.get("REDIS_URL"),
        broker_port=broker_port,
        data_dir=data_dir,
    )
    try:
        until(lambda: _ready(stack, process), "the product to be ready", timeout=60)
        yield stack
    finally:
        stack.http.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        finally:
            for child in stack.launcher.children(recursive=True) if process.poll() is None else []:
                child.kill()
            process.kill()
            process.wait()


def _ready(stack: Stack, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(
            f"the launcher ended with {process.returncode}:\n{stack.log.read_text()}"
        )
    return f"dashboard {stack.ui_url}" in stack.log.read_text()


def _written_by_torch(blob: Path) -> bool:
    try:
        with ZipFile(blob) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (BadZipFile, FileNotFoundError):  # another kind of blob, or deleted since
        return False
