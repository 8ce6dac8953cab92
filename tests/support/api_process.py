"""The API as a process of its own, as the launcher starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.support.ports import free_ports
from tests.support.waiting import until

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ApiProcess:
    """A process that was started; it may have ended."""

    process: subprocess.Popen[bytes]
    url: str
    """Where it answers, with the prefix of all routes."""
    log_file: Path

    @property
    def log(self) -> str:
        """What it has printed."""
        return self.log_file.read_text()

    def answers(self) -> bool:
        """Return whether it serves."""
        try:
            return httpx.get(f"{self.url}/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_it_serves(self) -> None:
        """Wait for its first answer."""
        until(lambda: self.answers() or self.process.poll() is not None, "the API", timeout=30)
        assert self.process.poll() is None, self.log

    def wait_for_end(self) -> int:
        """Wait for its end; return its exit status."""
        return self.process.wait(timeout=120)


@contextmanager
def api_process(
    log_file: Path, environment: Mapping[str, str], *flags: str, cwd: Path = ROOT
) -> Iterator[ApiProcess]:
    """Start one with these variables, and kill it at the end if it still runs.

    Args:
        log_file: what it prints goes there.
        environment: LOSSBOARD_DATA_DIR, REDIS_URL and so on.
        flags: more flags for uvicorn.
        cwd: its working directory.
    """
    [port] = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "backend.app:create_app", "--factory"]
    command += ["--port", str(port), "--timeout-graceful-shutdown", "3", "--log-level", "warning"]
    own = {"LOSSBOARD_WORKER_TOKEN": "secret", "PYTHONPATH": str(ROOT), **environment}
    with log_file.open("wb") as sink:
        process = subprocess.Popen(
            [*command, *flags],
            cwd=cwd,
            env={**os.environ, **own},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        yield ApiProcess(process, f"http://127.0.0.1:{port}/api/v1", log_file)
    finally:
        process.kill()
        process.wait()
