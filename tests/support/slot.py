"""A real slot: the Celery worker process, started as the launcher does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from celery import Celery

from contract.names import WAKE_TASK, wake_queue
from tests.support.backend import TOKEN, Backend
from tests.support.waiting import until
from worker.slot.pipes import TEMPLATE_NAME, TRAINER_NAME

ROOT = Path(__file__).resolve().parents[2]


class SlotProcess:
    """A running slot and its processes."""

    def __init__(self, popen: subprocess.Popen[bytes], broker_url: str, log: Path) -> None:
        self.main = psutil.Process(popen.pid)
        self.popen = popen
        self.log = log
        self._broker_url = broker_url

    def pool_child(self) -> psutil.Process:
        """Return the process that claims runs: the parent of the template."""
        [template] = self._named(TEMPLATE_NAME)
        child = template.parent()
        assert child is not None
        return child

    def trainers(self) -> list[psutil.Process]:
        """Return its running trainers, oldest first."""
        return sorted(self._named(TRAINER_NAME), key=lambda process: process.create_time())

    def _named(self, name: str) -> list[psutil.Process]:
        found = []
        for process in self.main.children(recursive=True):
            try:
                if process.name() == name:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def wake(self) -> None:
        """Deliver one wake-up."""
        with Celery(broker=self._broker_url) as celery:
            celery.send_task(WAKE_TASK, queue=wake_queue("cpu"), ignore_result=True)


def worker_environment(broker_url: str, api_url: str) -> dict[str, str]:
    """Return the environment of a worker's processes."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSBOARD_", "REDIS_"))}
    return clean | {
        "REDIS_URL": broker_url,
        "LOSSBOARD_API_URL": api_url,
        "LOSSBOARD_WORKER_TOKEN": TOKEN,
        "LOSSBOARD_WORKER_NAME": "w1",
        "REMAP_SIGTERM": "SIGQUIT",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running_slot(backend: Backend, broker_url: str, folder: Path) -> Iterator[SlotProcess]:
    """Start a slot and wait until it has reported to the backend."""
    log = folder / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "worker.celery_app", "worker", "-n", "w1@%h"]
    command += ["--pool", "prefork", "--concurrency", "1", "-Q", wake_queue("cpu")]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    with log.open("wb") as sink:
        popen = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=worker_environment(broker_url, backend.url),
        )
    slot = SlotProcess(popen, broker_url, log)
    before = backend.seen["w1"]
    try:
        until(lambda: backend.seen["w1"] > before, "the slot to be seen", timeout=20)
        yield slot
    finally:
        children = slot.main.children(recursive=True) if popen.poll() is None else []
        popen.send_signal(signal.SIGTERM)
        try:
            popen.wait(timeout=60)
        finally:
            popen.kill()
            popen.wait()
            for child in children:
                if child.is_running():
                    child.kill()
